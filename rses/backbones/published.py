"""Which published files each backbone needs, and their digests."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

from rses.backbones.specs import Spec, parse_spec, published_config

SAFE_NAME = "open_clip_model.safetensors"
PICKLE_NAME = "open_clip_pytorch_model.bin"
OPENAI_URL = "https://openaipublic.azureedge.net/clip/models/"

# Repository, address and digests of OpenAI's models, so that these need no import of open_clip (seconds).
# The digest in the address is OpenAI's own; the others are those of the files in the repository.
OPENAI_FILES: dict[str, tuple[str, str, dict[str, str]]] = {
    "ViT-B-32-quickgelu": (
        "timm/vit_base_patch32_clip_224.openai",
        "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af/ViT-B-32.pt",
        {
            SAFE_NAME: "e6d1bd7789aa45192b3bf90570a789b478bae1b74ebcce7eddd908e83a2b7c31",
            PICKLE_NAME: "9ecdaef325b20e7283dc6a32f92aa638d100899e4f084c2462d3832eeea0b26e",
        },
    ),
    "ViT-B-16-quickgelu": (
        "timm/vit_base_patch16_clip_224.openai",
        "5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f/ViT-B-16.pt",
        {},
    ),
    "ViT-L-14-quickgelu": (
        "timm/vit_large_patch14_clip_224.openai",
        "b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836/ViT-L-14.pt",
        {},
    ),
    "ViT-L-14-336-quickgelu": (
        "timm/vit_large_patch14_clip_336.openai",
        "3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02/ViT-L-14-336px.pt",
        {},
    ),
}

TORCHVISION_URL = "https://download.pytorch.org/models/"

# File name and SHA-256 of torchvision's checkpoints (its file names carry the first 8 digits).
LPIPS_TRUNKS = {
    "alex": ("alexnet-owt-7be5be79.pth", "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02"),
    "vgg": ("vgg16-397923af.pth", "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0"),
    "squeeze": ("squeezenet1_1-b8a52dc0.pth", "b8a52dc049b60e4b6ab68ad0df457362afab8b6304b2febdc1650a5dab4d7e7b"),
}

# Linear heads v0.1 as shipped in the wheel of lpips 0.1.4.
LPIPS_HEADS = {
    "alex": "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
    "vgg": "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
    "squeeze": "4a5350f23600cb79923ce65bb07cbf57dca461329894153e05a1346bd531cf76",
}


@dataclass(frozen=True)
class Source:
    """One file that can serve a need: in a repository of the Hugging Face hub, at an address, or here.

    Attributes:
        name: File name.
        sha256: Pinned SHA-256, or its first hex digits; empty where the publisher states none.
        repo: Hugging Face repository.
        url: Address.
        path: The file itself: a user's own, or one inside an installed package.
        alias: Unambiguous name under which the file is also accepted in ``$RSES_WEIGHTS``.
    """

    name: str
    sha256: str = ""
    repo: str = ""
    url: str = ""
    path: Path | None = None
    alias: str = ""

    @property
    def label(self) -> str:
        """Name for messages, with the repository where the name alone is ambiguous."""
        return f"{self.name} of huggingface.co/{self.repo}" if self.repo else self.name


@dataclass(frozen=True)
class Need:
    """One thing a backbone must be given; any of ``sources`` will do, the first found is taken."""

    role: str
    sources: tuple[Source, ...]


def needs(spec: str) -> tuple[Need, ...]:
    """Return the files a backbone needs, in the order its loader takes them; none for ``rses-mini``.

    Raises:
        WeightsError: The name is unknown or names weights with the wrong architecture.
    """
    parsed = parse_spec(spec)
    if parsed.kind == "lpips":
        name, digest = LPIPS_TRUNKS[parsed.name]
        trunk = Source(name, digest, url=TORCHVISION_URL + name)
        file = f"{parsed.name}.pth"
        heads = Source(file, LPIPS_HEADS[parsed.name], path=_lpips_weights() / file, alias=f"lpips-v0.1-{file}")
        return (Need("trunk", (trunk,)), Need("heads", (heads,)))
    return (Need("checkpoint", clip_sources(parsed)),) if parsed.kind == "open_clip" else ()


def clip_sources(spec: Spec) -> tuple[Source, ...]:
    """Return the files that can serve an open_clip model, preferred first.

    Raises:
        WeightsError: open_clip has no such model or tag, or the weights belong to the QuickGELU architecture.
    """
    if spec.path is not None:
        return (Source(spec.path.name, path=spec.path),)
    digests: dict[str, str] = {}
    if spec.pretrained == "openai" and spec.name in OPENAI_FILES:
        repo, tail, digests = OPENAI_FILES[spec.name]
        files, url = [(repo, SAFE_NAME), (repo, PICKLE_NAME)], OPENAI_URL + tail
    else:
        config = published_config(spec.name, spec.pretrained)
        files, url = _hub_files(config.get("hf_hub") or ""), config.get("url") or ""
    alias = f"{spec.name}--{spec.pretrained}"
    sources = [Source(file, digests.get(file, ""), repo=repo, alias=alias + Path(file).suffix) for repo, file in files]
    if url:
        name = url.rpartition("/")[2]
        sources.append(Source(name, _digest_in(url), url=url, alias=alias + Path(name).suffix))
    return tuple(sources)


def _hub_files(reference: str) -> list[tuple[str, str]]:
    """Split open_clip's ``owner/repo/file`` (``owner/repo/`` for its usual file), safetensors first."""
    if not reference:
        return []
    repo, _, file = reference.rpartition("/")
    if not file:
        return [(repo, SAFE_NAME), (repo, PICKLE_NAME)]
    safe = str(PurePosixPath(file).with_suffix(".safetensors"))
    return [(repo, item) for item in dict.fromkeys([safe, file])]


def _digest_in(url: str) -> str:
    """Return the digest, or its first digits, that a publisher puts into an address."""
    parent, _, name = url.rpartition("/")
    if "openaipublic" in url:
        return parent.rpartition("/")[2]
    return name.rpartition(".")[0].rpartition("-")[2] if "mlfoundations" in url else ""


def _lpips_weights() -> Path:
    spec = find_spec("lpips")
    locations = list(spec.submodule_search_locations or []) if spec else []
    return Path(locations[0] if locations else "lpips") / "weights" / "v0.1"
