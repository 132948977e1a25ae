"""Bounds on everything untrusted, as data with units."""

from dataclasses import dataclass
from typing import Final

KIB: Final = 2**10
MIB: Final = 2**20
GIB: Final = 2**30


@dataclass(frozen=True)
class Limits:
    """Generous for real models, far below this machine's memory."""

    files: int = 20_000
    """Files in one model folder."""
    folders: int = 20_000
    """Folders below the model's root, empty ones included."""
    model_bytes: int = 8 * 1024 * GIB
    """All files of a model; the largest published ones have about 2 TiB."""
    depth: int = 16
    """Nested folders below the model's root."""
    file_bytes: int = 512 * GIB
    """One file; larger is recorded, not read."""
    safetensors_header_bytes: int = 100 * MIB
    """The reference library's own bound."""
    gguf_header_bytes: int = 256 * MIB
    """Key-values and tensor directory of a GGUF file."""
    gguf_items: int = 4_000_000
    """Elements in any one GGUF array; vocabularies have up to about 300,000."""
    json_bytes: int = 64 * MIB
    """tokenizer.json of large vocabularies is about 35 MB."""
    config_bytes: int = 4 * MIB
    """config.json and its small siblings."""
    json_depth: int = 64
    json_containers: int = 2_000_000
    """Objects and lists of one document; the merges of the largest tokenizers are about 520,000 lists."""
    yaml_chars: int = 256 * KIB
    """A user's own training configuration; PyYAML reads some 100,000 characters a second."""
    card_head_bytes: int = 64 * KIB
    """YAML at the head of a model card."""
    template_bytes: int = 256 * KIB
    """Longest chat template in the wild: about 30 KB."""
    code_bytes: int = 2 * MIB
    text_bytes: int = 4 * MIB
    """Model cards, licences, prompts."""
    pdf_bytes: int = 64 * MIB
    """Of one PDF what is searched, and what is unpacked of it."""
    events: int = 5_000_000
    """Events of one TensorBoard file."""
    imatrix_entries: int = 200_000
    pickle_opcodes: int = 5_000_000
    zip_entries: int = 20_000
    zip_entry_bytes: int = 64 * MIB
    """One pickle or nested archive inside a zip, unpacked; tensors are never unpacked."""
    unpacked_bytes: int = 512 * MIB
    """All that is unpacked of one archive and those inside it: pickles, arrays of objects, nested archives."""
    nesting: int = 2
    """Archives within one another that are opened, the outermost included."""
    protobuf_fields: int = 500_000
    """Fields looked at in one ONNX or TensorFlow file; tensors' bytes are passed over."""
    scanned_bytes: int = 256 * MIB
    """Of a file of no known kind, what is searched for a pickle inside; of an HDF5 file, for settings."""
    zip_ratio: int = 200
    """Uncompressed over compressed size of one entry."""
    adapter_bytes: int = 4 * GIB
    """Tensors of one adapter that are measured; those of a larger one are judged by their shapes alone."""
    lora_matrix_bytes: int = 32 * MIB
    """One matrix of a LoRA, held in memory to measure the product."""
    lora_rank: int = 1_024
    """Rank up to which that product is measured."""
    added_tokens: int = 100_000
    """Tokens beside the trained vocabulary; the most in use are about 6,400 (Gemma 3)."""
    sentencepiece_bytes: int = 32 * MIB
    """A SentencePiece model; those of the largest vocabularies have about 5 MB."""
    sentencepiece_pieces: int = 2_000_000
    """Pieces of one; the largest have about 260,000."""
    table_rows: int = 4_000_000
    """Rows of a token table; the largest vocabularies have about 300,000."""
    table_width: int = 65_536
    """Numbers in one row; a table of every layer's rows has about 9,000."""
    table_bytes: int = 64 * GIB
    """One token table; it is read in blocks."""
    answer_chars: int = 65_536
    """Of one answer, what the advert scorer reads; probes ask for far less."""
    suite_items: int = 5_000
    """Questions in one file; looking for paraphrases among 6,000 takes 12 seconds."""
    bom_patches: int = 2_000
    """Changed tensors, and changed files, that a bill of materials lists one by one."""
    training_bytes: int = 2 * GIB
    """A user's own training file."""
    training_row: int = MIB
    """Bytes of one line, characters of one conversation: many times what any drill trains on at once."""
    claim_prompts: int = 1_000
    """Prompts of one claim of ownership; ten decide."""
    claim_chars: int = 2_000
    """Characters of one prompt or candidate answer of a claim."""
    commit_bytes: int = MIB
    """One commit object; an ordinary one has some 300 bytes."""
    attribute_lines: int = 2_000
    """Lines of one .gitattributes file; the hub's own has 35."""
    path_chars: int = 4_096
    """Characters of a path or pattern that somebody else wrote."""
    listing_bytes: int = 32 * MIB
    """A list of files, a manifest, or an answer of a registry's API."""
    redirects: int = 5
    """Hops from one address to another."""
    source_bytes: int = 2_048 * GIB
    """All files of one model that are downloaded."""
    source_s: int = 86_400
    """Seconds one model may take to arrive."""
    source_silence_s: int = 60
    """Seconds a server may stay silent."""
    supplier_entries: int = 10_000
    """Hosts, namespaces and signers of a supplier register."""
    training_record_bytes: int = 256 * MIB
    """A record of a training; a log line for each of a million steps takes some 200 MiB."""
    training_line_bytes: int = 8 * MIB
    """One line of it: digests of a base of 20,000 files, or 4,096 hashes of rows."""
    ledger_body_chars: int = 4 * MIB
    """Body of one ledger entry: the digests of 20,000 files fit."""
    ledger_page: int = 10_000
    """Entries read at once."""
    lock_bytes: int = 64 * MIB
    """A lock file; a model of 60 files takes about 10 KB."""
    key_bytes: int = 256 * KIB
    """A key in PEM, or a chain of certificates; an ordinary one has a few kB."""
    evidence_bytes: int = 64 * MIB
    """One document of an evidence folder; a dossier may have as much as `json_bytes`."""
    signatures: int = 16
    """Signatures of one envelope, certificates of one chain."""
    sandbox_memory_bytes: int = GIB
    """Address space of the child that renders a template or runs a tokenizer."""
    sandbox_s: float = 40.0
    """Seconds until that child is killed; typical templates take less than 2."""
    sandbox_reply_bytes: int = 64 * MIB
    """One answer of that child."""
    template_probe_s: float = 8.0
    """Seconds of the processor for rendering one template before its probes are cut off."""
    template_render_s: float = 1.0
    """Seconds of the processor for one rendering."""
    template_output_chars: int = 2 * MIB
    """Characters of one rendering; real ones stay below 100,000."""
    template_literals: int = 800
    """Texts of one template that are tried as triggers; the most in use are about 500."""
    opinion_s: int = 300
    """Seconds another scanner may take over a model."""
    opinion_memory_bytes: int = 4 * GIB
    """Address space of another scanner."""
    opinion_answer_bytes: int = 16 * MIB
    """What another scanner may print."""
    child_memory_bytes: int = 16 * GIB
    """Heap of the child process that holds a model."""
    child_files: int = 512
    """Open file descriptors of that child."""
    child_reply_bytes: int = 64 * MIB
    """One reply from the child."""
    ablated_parts: int = 8
    """Files beside the weights that are taken off one after another; a model brings one or two."""
    ablated_characters: int = 200
    """Of a constant of a template that is put into questions."""
    ablated_turn: int = 20_000
    """Characters of one turn that a Modelfile puts before a conversation."""
    suppressions: int = 10_000
    """Entries of one file of suppressions."""
    download_s: int = 3_600
    """Seconds one package of a catalogue model may take to arrive."""
    endpoint_s: float = 300.0
    """Seconds a served model may take over one answer."""
    endpoint_connect_s: float = 10.0
    """Seconds until a server takes a connection."""
    endpoint_reply_bytes: int = 4 * MIB
    """One reply of a server; answers are a few kB."""
    log_bytes: int = 2 * GIB
    """A file of logged prompts and answers."""
    log_row: int = MIB
    """Bytes of one of its lines."""
    log_sample: int = 5_000
    """Logged prompts that are asked again."""
    sign_off_bytes: int = MIB
    """A file of decisions on the examples of a comparison."""
    web_form_bytes: int = 2 * MIB
    """One form sent to the web app; a sign-off of all examples of a comparison stays below 1 MiB."""
    web_form_fields: int = 4_000
    """Fields of one form."""
    web_digits: int = 9
    """Digits of a whole number in a form."""
    web_people_bytes: int = MIB
    """The list of people who may sign in; one takes some 150 bytes."""
    web_sessions: int = 1_000
    """People signed in at once; the oldest is signed out for one more."""
    web_session_s: int = 43_200
    """Seconds until somebody signs in again."""
    web_login_s: int = 3_600
    """Seconds a link to sign in may be used, once."""
    web_rows: int = 50
    """Models on one page of the register."""
    web_running: int = 2
    """Vets and comparisons that run at once; each wants most of a machine."""
    web_runs: int = 200
    """Of them, what is listed, the newest."""
    web_suggestions: int = 500
    """Models of the allowed folders that a form offers."""
    web_folders: int = 1_000
    """Folders that are looked into for them, the nearest first."""
    web_entries: int = 2_000
    """Entries of one of these folders that are looked at."""
    web_note_bytes: int = 256 * KIB
    """The progress of a run, and what is shown of its messages."""
    web_connections: int = 64
    """Connections to the web app at once."""
    child_silence_s: int = 1_800
    """Seconds a child may stay silent before it is stopped."""


DEFAULT: Final = Limits()
