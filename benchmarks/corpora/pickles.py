"""Pickles: what advisories call, how the call is written, what it is wrapped in, and benign ones.

The shapes are those that the advisories on picklescan, fickling and modelscan name, and the papers on what scanners miss; the
bytes are our own. Every payload would run `true`. `BENIGN` stands apart from `CASES`: the default policy refuses
pickles of any kind, and a scanner for pickles should be quiet about these.
"""

import bz2
import gzip
import io
import json
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

import opcodes as op
from artefacts import tiny_gguf, tiny_model
from corpora.base import Case

Files = Mapping[str, bytes]

_CALLABLES: Final = """
os:system posix:system nt:system os:popen os:execv os:spawnv subprocess:Popen subprocess:check_output builtins:eval builtins:exec
builtins:compile builtins:open builtins:getattr builtins:__import__ __builtin__:eval runpy:run_path importlib:import_module
pkgutil:resolve_name code:InteractiveInterpreter.runsource timeit:timeit cProfile:run profile:run pdb:run bdb:Bdb.run trace:Trace.run
doctest:debug_script pydoc:pipepager pip:main pip._internal:main ensurepip:_run_pip idlelib.run:Executive.runcode
lib2to3.pgen2.grammar:Grammar.loads pickle:loads _pickle:loads marshal:loads shelve:open dill:loads dill._dill:_create_code
cloudpickle.cloudpickle:_make_function joblib:load types:FunctionType types:CodeType functools:partial functools:reduce
operator:attrgetter operator:methodcaller itertools:starmap shutil:rmtree shutil:move pathlib:Path.write_text linecache:getline
socket:create_connection urllib.request:urlopen http.client:HTTPSConnection ftplib:FTP smtplib:SMTP webbrowser:open ssl:get_server_certificate
ctypes:CDLL ctypes.util:_findLib_gcc _ctypes:dlopen cffi:FFI multiprocessing.util:spawnv_passfds asyncio.unix_events:_UnixSubprocessTransport._start
_interpreters:run_string _xxsubinterpreters:run_string test.support.script_helper:assert_python_ok logging.config:listen
distutils.file_util:write_file setuptools.sandbox:run_setup venv:create zipimport:zipimporter sys:setprofile sys:modules
gc:get_objects signal:signal threading:Thread copyreg:_reconstructor torch:load torch.hub:load torch.storage:_load_from_bytes
torch._dynamo.guards:GuardBuilder.get torch.utils.bottleneck.__main__:run_cprofile torch.utils.collect_env:run
torch.utils.data.datapipes.utils.decoder:basichandlers torch.fx.experimental.symbolic_shapes:ShapeEnv.evaluate_guards_expression
torch.jit.unsupported_tensor_ops:execWrapper torch._inductor.codecache:compile_file numpy:load numpy.testing._private.utils:runstring
numpy.f2py.crackfortran:getlincoef numpy.lib.npyio:NpzFile pandas:read_pickle pandas.core.computation.eval:eval sklearn:loads
uuid:_get_command_stdout site:execsitecustomize xml.dom.minidom:parse tempfile:mktemp getpass:unix_getpass made_up_package:run
"""
CALLED: Final = tuple(tuple(dotted.rsplit(":", 1)) for dotted in _CALLABLES.split())
"""Callables, as advisories and gadget lists name them; none is on the frozen list, and none has to be known."""

_N, _S = op.name(*op.SYSTEM), op.stacked(*op.SYSTEM)
_OS: Final = op.text("true") + b"\x85R"
_LISTED: Final = op.name("collections", "OrderedDict")
_GET: Final = op.name("builtins", "getattr")

WRITTEN: Final[dict[str, bytes]] = {
    "protocol-0": b"cposix\nsystem\np0\n(S'true'\np1\ntp2\nRp3\n.",
    "protocol-1": b"cposix\nsystem\nq\x00(U\x04trueq\x01tq\x02Rq\x03.",
    "protocol-2": op.PAYLOAD,
    "protocol-3": b"\x80\x03" + _N + _OS + b".",
    "protocol-4": b"\x80\x04" + _S + _OS + b".",
    "protocol-5": b"\x80\x05" + _S + _OS + b".",
    "protocol-unknown": b"\x80\x7f" + _N + _OS + b".",
    "frame": b"\x80\x04\x95" + struct.pack("<Q", len(_S + _OS) + 1) + _S + _OS + b".",
    "frame-too-long": b"\x80\x04\x95" + struct.pack("<Q", 2**40) + _S + _OS + b".",
    "frame-cuts-the-name": b"\x80\x04\x95" + struct.pack("<Q", 4) + _S + _OS + b".",
    "memo-stack-global": b"\x80\x04" + op.short("system") + b"\x94" + op.short("posix") + b"\x940h\x01h\x00\x93" + _OS + b".",
    "put-get-stack-global": b"\x80\x04" + op.short("posix") + b"q\x050" + op.short("system") + b"q\x060h\x05h\x06\x93" + _OS + b".",
    "decoys-in-memo": b"\x80\x04" + op.short("collections") + b"\x94" + op.short("OrderedDict") + b"\x9400"
    + op.short("posix") + b"q\x00" + op.short("system") + b"q\x01" + b"00h\x00h\x01\x93" + _OS + b".",
    "global-from-memo": b"\x80\x02" + _N + b"q\x000h\x00" + _OS + b".",
    "memo-swapped": b"\x80\x02" + _LISTED + b"q\x000" + _N + b"q\x000h\x00" + _OS + b".",
    "dup-names": b"\x80\x04" + op.short("posix") + b"2\x93" + _OS + b".",
    "name-unicode-escape": b"\x80\x04" + op.short("posix") + b"V\\u0073ystem\n\x93" + _OS + b".",
    "name-quoted": b"\x80\x04S'posix'\nS\"system\"\n\x93" + _OS + b".",
    "name-as-bytes": b"\x80\x04C\x05posixC\x06system\x93" + _OS + b".",
    "name-counted-by-8-bytes": b"\x80\x04\x8d" + struct.pack("<Q", 5) + b"posix" + op.short("system") + b"\x93" + _OS + b".",
    "name-dotted": b"\x80\x04" + op.stacked("posixpath", "os.system") + _OS + b".",
    "name-of-a-listed-class": b"\x80\x04" + op.stacked("torch", "Tensor.__subclasses__") + b")R.",
    "name-with-space": b"\x80\x02cposix\nsystem \n" + _OS + b".",
    "listed-module-alone": b"\x80\x02" + op.name("collections", "namedtuple") + op.text("a") + op.text("b") + b"\x86R.",
    "inst": b"(S'true'\niposix\nsystem\n.",
    "inst-of-a-listed-class": b"(icollections\nOrderedDict\n.",
    "obj": b"(cposix\nsystem\nS'true'\no.",
    "obj-then-pop": b"\x80\x02(cposix\nsystem\n" + op.text("true") + b"o0N.",
    "newobj": b"\x80\x02" + op.name("subprocess", "Popen") + op.text("true") + b"\x85\x81.",
    "newobj-ex": b"\x80\x04" + op.name("subprocess", "Popen") + op.text("true") + b"\x85}\x92.",
    "build-state": b"\x80\x02" + op.name("logging.config", "DictConfigurator") + b")\x81}" + op.text("x") + _N + b"sb.",
    "build-on-a-listed-class": b"\x80\x02" + op.name("torch", "Tensor") + b"N}" + op.text("__reduce__") + op.name("torch", "Size") + b"s\x86b.",
    "result-is-called": b"\x80\x02" + _LISTED + b")R" + _OS + b".",
    "extend-a-listed-class": b"\x80\x02" + op.name("builtins", "set") + b"(" + op.text("a") + b"e.",
    "extension-1": b"\x80\x02\x82\x01" + _OS + b".",
    "extension-2": b"\x80\x02\x83\x01\x02" + _OS + b".",
    "extension-4": b"\x80\x02\x84\x01\x02\x03\x00" + _OS + b".",
    "call-then-pop": b"\x80\x02" + _N + _OS + b"0N.",
    "call-then-pop-mark": b"\x80\x02(" + _N + _OS + b"1N.",
    "call-in-a-key": b"\x80\x02}" + _N + _OS + b"Ns.",
    "call-in-a-persistent-id": b"\x80\x02" + _N + _OS + b"Q.",
    "call-in-state-dict": op.STATE_DICT[:-1] + op.text("x") + _N + _OS + b"s.",
    "then-bad-opcode": b"\x80\x02" + _N + _OS + b"\xff\xff",
    "then-no-stop": b"\x80\x02" + _N + _OS,
    "then-empty-stack": b"\x80\x02" + _N + _OS + b"000.",
    "then-unset-memo": b"\x80\x02" + _N + _OS + b"h\x77.",
    "then-cut-argument": b"\x80\x02" + _N + _OS + b"X\xff\xff\xff\x00ab",
    "then-junk": op.PAYLOAD + b"\x00\xfe" * 40,
    "after-stop": b"\x80\x02N." + op.PAYLOAD,
    "third-pickle": b"\x80\x02N.\x80\x02]." + op.PAYLOAD,
    "after-a-state-dict": op.STATE_DICT + op.PAYLOAD,
    "after-long-text": b"\x80\x02" + op.text("x" * 100_000) + b"0" + _N + _OS + b".",
    "after-long-line": b"V" + b"y" * 100_000 + b"\n0cposix\nsystem\n(S'true'\ntR.",
    "after-many-opcodes": b"\x80\x02" + b"N0" * 20_000 + _N + _OS + b".",
    "getattr-chain": b"\x80\x02" + _GET + op.name("builtins", "__import__") + op.text("os") + b"\x85R" + op.text("system") + b"\x86R" + _OS + b".",
    "resolve-name": op.call("pkgutil", "resolve_name", "os:system"),
    "partial": b"\x80\x02" + op.name("functools", "partial") + _N + op.text("true") + b"\x86R.",
    "map-and-list": b"\x80\x02" + op.name("builtins", "list") + op.name("builtins", "map") + _N + b"]" + op.text("true") + b"a\x86R\x85R.",
    "rebuild-calls": b"\x80\x02" + op.name("torch._tensor", "_rebuild_from_type_v2") + b"(" + _N + op.name("torch", "Tensor") + op.text("true") + b"\x85}tR.",
    "default-factory": b"\x80\x02" + op.name("collections", "defaultdict") + _N + b"\x85R.",
    "nested-in-bytes": b"\x80\x03" + op.name("pickle", "loads") + b"B" + struct.pack("<I", len(op.PAYLOAD)) + op.PAYLOAD + b"\x85R.",
    "torch-loads-bytes": b"\x80\x03" + op.name("torch.storage", "_load_from_bytes") + b"B" + struct.pack("<I", len(op.PAYLOAD)) + op.PAYLOAD + b"\x85R.",
    "python-2-name": b"\x80\x02" + op.name("commands", "getoutput") + _OS + b".",
}  # fmt: skip
"""Ways to write a call."""


def zipped(files: Files, *, method: int = zipfile.ZIP_STORED, before: bytes = b"") -> bytes:
    """An archive in memory."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return before + made.getvalue()


def torch_zip(payload: bytes, **more: bytes) -> bytes:
    """An archive as torch.save writes it."""
    entries = {"data.pkl": payload, "byteorder": b"little", "data/0": bytes(8), "version": b"3\n", **more}
    return zipped({f"archive/{path}": data for path, data in entries.items()})


def tarred(files: Files, form: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar archive in memory."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=form) as archive:
        for path, data in files.items():
            info = tarfile.TarInfo(path)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return made.getvalue()


def npy(payload: bytes, descr: str = "'|O'") -> bytes:
    """An array of objects."""
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': (1,), }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + payload


def _changed(data: bytes, at: bytes, offset: int, value: bytes, *, last: bool = False) -> bytes:
    place = (data.rindex(at) if last else data.index(at)) + offset
    return data[:place] + value + data[place + len(value) :]


def _one(name: str, data: bytes) -> Files:
    return {name: data}


_P, _Z = op.PAYLOAD, torch_zip(op.PAYLOAD)
_BIN: Final = "pytorch_model.bin"
_SCRIPT: Final = b"def forward(self, x: Tensor) -> Tensor:\n  return torch.relu(x)\n"

WRAPPED: Final[dict[str, Files]] = {
    "zip-data-pkl": _one(_BIN, _Z),
    "zip-deflated": _one(_BIN, zipped({"archive/data.pkl": _P + bytes(900)}, method=zipfile.ZIP_DEFLATED)),
    "zip-in-tensor-entry": _one(_BIN, torch_zip(op.STATE_DICT, **{"data/1": _P})),
    "zip-in-version": _one(_BIN, torch_zip(op.STATE_DICT, version=_P)),
    "zip-constants": _one("model.pt", torch_zip(op.STATE_DICT, **{"constants.pkl": _P})),
    "zip-upper-case-name": _one(_BIN, zipped({"archive/DATA.PKL": _P, "archive/version": b"3\n"})),
    "torchscript": _one("model.pt", torch_zip(op.call("__torch__", "Net"), **{"code/__torch__.py": _SCRIPT, "constants.pkl": b"\x80\x02)."})),
    "pt2-with-library": _one("model.pt2", zipped({"m/archive_format": b"pt2", "m/data/aotinductor/model/x.so": b"\x7fELF\x02\x01\x01" + bytes(64)})),
    "pt2-with-pickle": _one("model.pt2", zipped({"m/archive_format": b"pt2", "m/data/sample_inputs/model.pt": _Z})),
    "zip-bad-crc": _one(_BIN, _changed(_Z, b"PK\x01\x02", 16, b"\x00\x01\x02\x03")),
    "zip-local-name-differs": _one(_BIN, _Z.replace(b"archive/data.pkl", b"archive/data.txt", 1)),
    "zip-encrypted-flag-central": _one(_BIN, _changed(_Z, b"PK\x01\x02", 8, b"\x01")),
    "zip-encrypted-flag-local": _one(_BIN, _changed(_Z, b"PK\x03\x04", 6, b"\x01")),
    "zip-unknown-method": _one(_BIN, _changed(_Z, b"PK\x01\x02", 10, b"\x63")),
    "zip-size-differs": _one(_BIN, _changed(_Z, b"PK\x01\x02", 24, b"\x01\x00\x00\x00")),
    "zip-prefixed": _one("weights.dat", zipped({"archive/data.pkl": _P}, before=b"\x00\x01" * 40)),
    "zip-then-junk": _one(_BIN, _Z + b"junk"),
    "zip-in-zip": _one(_BIN, zipped({"inner.bin": _Z})),
    "zip-thrice": _one(_BIN, zipped({"a": zipped({"b": _Z})})),
    "zip-without-directory": _one(_BIN, _Z[: _Z.index(b"PK\x01\x02")]),
    "zip-slip": _one("model.zip", zipped({"../../x.pkl": _P})),
    "npy": _one("array.npy", npy(_P)),
    "npy-descr-joined": _one("array.npy", npy(_P, "'|' 'O'")),
    "npz": _one("arrays.npz", zipped({"a.npy": npy(_P)})),
    "npz-with-pickle": _one("arrays.npz", zipped({"a.npy": _P})),
    "gzip": _one("model.pkl.gz", gzip.compress(_P)),
    "gzip-named-bin": _one(_BIN, gzip.compress(_P)),
    "bzip2": _one("model.pkl", bz2.compress(_P)),
    "xz": _one("model.joblib", lzma.compress(_P)),
    "lzma": _one("model.joblib", lzma.compress(_P, lzma.FORMAT_ALONE)),
    "zlib": _one("model.joblib", zlib.compress(_P)),
    "zlib-fast": _one("model.joblib", zlib.compress(_P, 1)),
    "zlib-in-zlib": _one("model.joblib", zlib.compress(zlib.compress(_P))),
    "tar": _one("model.tar", tarred({"data.pkl": _P})),
    "tar-named-bin": _one(_BIN, tarred({"pickle": _P, "storages": b"", "tensors": b""})),
    "tar-gz": _one("model.tar.gz", gzip.compress(tarred({"a/data.pkl": _P}))),
    "tar-slip": _one("model.tar", tarred({"../../x": _P})),
    "7z": _one(_BIN, b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(64)),
    "rar": _one(_BIN, b"Rar!\x1a\x07\x01\x00" + bytes(64)),
    "zstd": _one("model.pkl.zst", b"\x28\xb5\x2f\xfd" + bytes(64)),
    "lz4": _one("model.joblib", b"\x04\x22\x4d\x18" + bytes(64)),
    "named-p": _one("config.p", _P),
    "named-safetensors": _one("extra.safetensors", _P),
    "named-gguf": _one("extra.gguf", _P),
    "named-readme": _one("README.txt", _P),
    "named-vocab": _one("vocab.txt", WRITTEN["protocol-0"]),
    "named-json": _one("extra.json", _P),
    "no-name": _one("weights", _P),
    "junk-first-bin": _one(_BIN, b"\xff\xfe\x00\x01" + _P),
    "junk-first-unknown": _one("weights.dat", b"\xff\x00\x01" * 500 + _P),
    "picture-then-zip": _one("logo.png", b"\x89PNG\r\n\x1a\n" + bytes(64) + _Z),
    "gguf-then-zip": _one("model.gguf", tiny_gguf() + _Z),
    "safetensors-then-zip": _one("x.safetensors", struct.pack("<Q", 2) + b"{}" + _Z),
    "keras-lambda": _one("model.keras", zipped({"config.json": json.dumps({"class_name": "Lambda"}).encode(), "metadata.json": b"{}"})),
    **{f"legacy-stream-{n}": _one(_BIN, op.legacy(at=n)) for n in range(5)},
    "legacy-after-keys": _one(_BIN, op.legacy(body=op.STATE_DICT[:-1] + b"0" + _P[2:])),
}  # fmt: skip
"""Ways to wrap or name a pickle, each the files beside a tiny model."""

_LIST: Final = b"\x80\x04]\x94(K\x01G@\x04\x00\x00\x00\x00\x00\x00" + op.short("text") + b"Ne."
_ARRAY: Final = (
    b"\x80\x02" + op.name("numpy._core.multiarray", "_reconstruct") + op.name("numpy", "ndarray") + b"K\x00\x85U\x01b\x87R(K\x01K\x01\x85"
    + op.name("numpy", "dtype") + b"U\x02f4\x89\x88\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x04\x00\x00\x80?tb."
)  # fmt: skip
_PARAMETER: Final = (
    b"\x80\x02}" + op.text("w") + op.name("torch._utils", "_rebuild_parameter") + op.STATE_DICT[op.STATE_DICT.index(b"ctorch._utils") : -2]
    + b"\x88" + op.name("collections", "OrderedDict") + b")R\x87Rs."
)  # fmt: skip

BENIGN: Final[dict[str, Files]] = {
    "zip": _one(_BIN, torch_zip(op.STATE_DICT)),
    "zip-pt": _one("model.pt", torch_zip(op.STATE_DICT)),
    "zip-ckpt": _one("model.ckpt", torch_zip(op.STATE_DICT)),
    "zip-parameter": _one(_BIN, torch_zip(_PARAMETER)),
    "zip-empty": _one(_BIN, torch_zip(b"\x80\x02}.")),
    "legacy": _one(_BIN, op.legacy()),
    "legacy-pth": _one("model.pth", op.legacy()),
    "legacy-parameter": _one(_BIN, op.legacy(body=_PARAMETER)),
    "legacy-ordered": _one(_BIN, op.legacy(body=b"\x80\x02" + _LISTED + b")R.")),
    "raw-state-dict": _one("state.pkl", op.STATE_DICT),
    "dtype": _one("x.pkl", b"\x80\x02" + op.name("torch", "bfloat16") + b"."),
    "size": _one("x.pkl", b"\x80\x02" + op.name("torch", "Size") + b"K\x02K\x03\x86\x85R."),
    "device": _one("x.pkl", b"\x80\x02" + op.name("torch", "device") + op.text("cpu") + b"\x85R."),
    "ordered-dict": _one("x.pkl", b"\x80\x04" + op.stacked("collections", "OrderedDict") + b"\x94)R\x94."),
    "set-protocol-2": _one("x.pkl", b"\x80\x02" + op.name("__builtin__", "set") + b"]K\x01a\x85R."),
    "bytes-protocol-2": _one("x.pkl", b"\x80\x02" + op.name("_codecs", "encode") + op.text("abc") + op.text("latin1") + b"\x86R."),
    "plain-protocol-0": _one("x.pkl", b"(lp0\nI1\naF2.5\naVtext\np1\na."),
    "plain-protocol-4": _one("x.pkl", _LIST),
    "two-plain": _one("x.pkl", b"\x80\x02N." + b"\x80\x02]."),
    "numpy-array": _one("x.pkl", _ARRAY),
    "npy-objects-plain": _one("x.npy", npy(b"\x80\x04]\x94(" + op.short("a") + b"e.")),
    "npz-numbers": _one("x.npz", zipped({"a.npy": npy(bytes(4), "'<f4'")})),
}  # fmt: skip
"""Checkpoints and plain data: the policy that allows known imports must let every one of them pass."""


def put(files: Files, folder: Path) -> Path:
    """Write files into a folder."""
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def _beside(files: Files, folder: Path) -> Path:
    return put(files, tiny_model(folder))


def hostile() -> dict[str, Files]:
    """Every hostile shape by name."""
    called = {f"calls-{module}.{name}": _one(_BIN, op.call(module, name)) for module, name in CALLED}
    written = {f"written-{name}": _one("data.pkl", data) for name, data in WRITTEN.items()}
    return called | written | {f"wrapped-{name}": files for name, files in WRAPPED.items()}


def _cases(shapes: Mapping[str, Files], group: str) -> tuple[Case, ...]:
    return tuple(
        Case(f"pickle-{name}", group, True, partial(_beside, files)) for name, files in shapes.items()
    )


CASES: Final = _cases(hostile(), "pickle")

Judge = Callable[[Path], bool]
"""Whether a folder is objected to."""


def quiet(judge: Judge, scratch: Path, shapes: Mapping[str, Files]) -> tuple[str, ...]:
    """Names of the shapes about which a judge says nothing; each is written into a folder of its own."""
    silent = []
    for number, (name, files) in enumerate(shapes.items()):
        folder = scratch / str(number)
        folder.mkdir(parents=True)
        if not judge(put(files, folder)):
            silent.append(name)
    return tuple(silent)
