"""What facts say of each item: one pure function an item. An item without one is a person's alone."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from sekisho.checklist.filling import compared, decision, files, lessons, origin, tests, training
from sekisho.checklist.sources import Filled, Sources

FILLERS: Final[Mapping[str, Callable[[Sources], Filled]]] = MappingProxyType(
    {
        "C01": origin.address,
        "C02": origin.supplier,
        "C03": origin.list_of_files,
        "C04": origin.signature,
        "C05": origin.parent,
        "C06": origin.changes,
        "C07": files.roles,
        "C08": files.passengers,
        "C09": files.code,
        "C10": files.template,
        "C11": files.keys,
        "C12": files.licences,
        "C13": tests.application,
        "C14": tests.preregistered,
        "C15": tests.proper,
        "C16": tests.declines,
        "C17": tests.ablation,
        "C18": tests.drills,
        "C19": training.data,
        "C20": training.rerun,
        "C21": compared.read,
        "C22": decision.two_people,
        "C23": decision.exceptions,
        "C26": decision.next_test,
        "C27": lessons.passed,
    }
)
