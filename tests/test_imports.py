"""The import graph points one way, and `import filar` stays light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src" / "filar"

# A module may import from its own layer and from lower ones.
LAYERS = [
    {"errors", "flags"},
    {"exposure"},
    {"instruments"},
    {"psf"},
    {"populations"},
    {"simulate", "detect", "stamps"},
    {"fit", "learn"},
    {"centering", "clusters", "completeness", "saturation"},
    {"catalog"},
    {"frames"},
    {"lightcurve"},
    {"measure"},
    {"asts"},
    {"report"},
    {"cli"},
]
LAYER = {name: number for number, layer in enumerate(LAYERS) for name in layer}
HEAVY = {"astropy", "scipy", "matplotlib", "bokeh", "pyarrow", "jinja2", "photutils", "rich"}
HEAVY |= {"torch", "lightning", "optuna", "pydantic", "safetensors", "sklearn"}
HEAVY |= {"celerite2", "astroquery", "dust_extinction", "h5py", "reproject"}
MODULES = sorted(SOURCE.rglob("*.py"))


def imports(path: Path) -> set[str]:
    """Full names that a module imports, wherever in it; not those for type checking alone."""
    tree = ast.parse(path.read_text())
    skipped = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for statement in block.body
        for node in ast.walk(statement)
    }
    names = set()
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def part(module: str) -> str:
    """The first part below filar: `filar.psf.model` -> `psf`."""
    return module.split(".")[1]


def graph() -> dict[str, set[str]]:
    """Which parts each part imports."""
    edges: dict[str, set[str]] = {}
    for path in MODULES:
        own = path.relative_to(SOURCE).parts[0].removesuffix(".py")
        used = {
            part(name) for name in imports(path) if name.startswith("filar.") and own != "__init__"
        }
        edges.setdefault(own, set()).update(name for name in used if name != own)
    return edges


def test_known_layers_only_import_lower_ones() -> None:
    wrong = [
        f"{user} imports {used}"
        for user, useds in graph().items()
        for used in useds
        if user in LAYER and used in LAYER and LAYER[used] > LAYER[user]
    ]
    assert not wrong


def test_parts_outside_of_the_layers_make_no_cycles_and_hide_no_upward_import() -> None:
    edges = graph()

    def reach(name: str, seen: frozenset[str] = frozenset()) -> set[str]:
        found = set()
        for used in edges.get(name, ()):
            assert used not in seen, f"import cycle through {used}"
            found |= {used} | reach(used, seen | {name})
        return found

    for name, layer in LAYER.items():
        wrong = [used for used in reach(name) if LAYER.get(used, layer) > layer]
        assert not wrong, f"{name} reaches {wrong}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_only_cli_and_report_print_or_draw(path: Path) -> None:
    if path.relative_to(SOURCE).parts[0] in {"cli", "report"}:
        return
    drawn = {name.split(".")[0] for name in imports(path)} & {
        "matplotlib",
        "bokeh",
        "rich",
        "typer",
    }
    calls = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print"
    ]
    assert not drawn
    assert not calls


def loaded_after(statement: str) -> set[str]:
    """Top-level packages in sys.modules after a statement in a fresh interpreter."""
    code = f"{statement}; import sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stdout.split()}


def test_importing_filar_is_light() -> None:
    assert not loaded_after("import filar") & HEAVY


def test_importing_the_readers_is_light() -> None:
    assert not loaded_after("from filar import read_exposures, write_wfpc2") & HEAVY


def test_help_loads_no_heavy_library() -> None:
    statement = (
        "from typer.testing import CliRunner; from filar.cli.main import app; "
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0"
    )
    assert not loaded_after(statement) & (HEAVY - {"rich"})


def test_every_export_exists() -> None:
    import filar

    for name in filar.__all__:
        assert getattr(filar, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        filar.nothing  # noqa: B018


def test_version_is_that_of_the_package() -> None:
    from importlib.metadata import version

    import filar

    assert filar.__version__ == version("filar")
