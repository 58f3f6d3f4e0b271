"""Recipes: every training set-up as a TOML file, checked key by key."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from os import PathLike
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, model_validator

from filar.errors import InputFileError, ParameterError
from filar.learn.settings import (
    AveragingSettings,
    BudgetSettings,
    DataSettings,
    MixtureSettings,
    Named,
    OptimiserSettings,
    SearchRange,
    Settings,
    StarSettings,
    TableSettings,
    TrainingSettings,
    check_phases,
)
from filar.wholefile import whole_file


class Recipe(Settings):
    """A training set-up: with data and a seed it makes a model.

    Attributes
    ----------
    name, job : str
        What it is called, and which job it is for ("centering", "clusters", "completeness",
        "saturation").
    about : str
        Where it comes from.
    data, table, stars, mocks, network, loss, optimiser, ema, budget
        See `filar.learn.settings`: `data` of the jobs that look at rasters, `table` of those that
        learn from tables, `stars` of those that learn from stamps of stars of known brightness,
        `mocks` of those that learn from mock clusters.
    search : dict of str to SearchRange
        Settings to search, by their dotted names such as "optimiser.lr".
    """

    name: str
    job: str
    about: str = ""
    data: DataSettings = DataSettings()
    table: TableSettings = TableSettings()
    stars: StarSettings = StarSettings()
    mocks: MixtureSettings = MixtureSettings()
    network: Named
    loss: Named
    optimiser: OptimiserSettings = OptimiserSettings()
    ema: AveragingSettings = AveragingSettings()
    budget: BudgetSettings = BudgetSettings()
    search: dict[str, SearchRange] = Field(default={})

    @model_validator(mode="after")
    def _consistent(self) -> Recipe:
        check_phases(self.optimiser, self.budget)
        given = {
            "data": self.data != DataSettings(),
            "table": self.table != TableSettings(),
            "stars": self.stars != StarSettings(),
            "mocks": self.mocks != MixtureSettings(),
        }
        if sum(given.values()) > 1:
            names = " and ".join(name for name, used in given.items() if used)
            raise ValueError(f"{names}: a recipe is for rasters, tables, stars or mocks")
        return self

    @property
    def training(self) -> TrainingSettings:
        """What the trainer needs to know."""
        return TrainingSettings(optimiser=self.optimiser, ema=self.ema, budget=self.budget)


def recipe_names() -> list[str]:
    """Names of the recipes that come with filar, in alphabetical order.

    Returns
    -------
    list of str
        Such as "c23-v1".
    """
    found = (entry.name for entry in files("filar").joinpath("recipes").iterdir())
    return sorted(name.removesuffix(".toml") for name in found if name.endswith(".toml"))


def load_recipe(source: str | PathLike[str]) -> Recipe:
    """Read a recipe.

    Parameters
    ----------
    source : str or path-like
        The name of a recipe that comes with filar, or the path of a TOML file.

    Returns
    -------
    Recipe
        Checked.

    Raises
    ------
    ParameterError
        If a name is unknown.
    InputFileError
        If the file cannot be read, is no TOML or holds an unknown key or a bad value.
    """
    path = Path(source)
    if isinstance(source, str) and path.suffix != ".toml" and not path.exists():
        if source not in recipe_names():
            allowed = f"one of {', '.join(recipe_names())}, or the path of a .toml file"
            raise ParameterError("recipe", source, allowed)
        path = Path(str(files("filar").joinpath("recipes", f"{source}.toml")))
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputFileError(path, f"cannot read: {reason}", "a recipe (TOML)") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputFileError(path, f"no TOML: {error}", "a recipe (TOML)") from error
    try:
        recipe = Recipe.model_validate(content)
        check_search(recipe)
    except ValidationError as error:
        raise InputFileError(path, explain(error), advice="correct the recipe") from error
    except ParameterError as error:
        raise InputFileError(path, str(error), advice="correct the recipe") from error
    return recipe


def override(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """Give a recipe other settings.

    Parameters
    ----------
    recipe : Recipe
        The recipe; it stays as it is.
    changes : mapping of str to object
        New values by dotted name, such as ``{"budget.epochs": 10}``.

    Returns
    -------
    Recipe
        The new one, checked.

    Raises
    ------
    ParameterError
        If a name is unknown or a value not allowed.
    """
    content = recipe.model_dump()
    for name, value in changes.items():
        table = content
        *tables, key = name.split(".")
        for part in tables:
            table = table.get(part)  # type: ignore[assignment]
            if not isinstance(table, dict):
                raise ParameterError(name, value, f"a setting of the recipe {recipe.name}")
        table[key] = value
    try:
        return Recipe.model_validate(content)
    except ValidationError as error:
        allowed = f"settings that a recipe has, and their values ({explain(error)})"
        raise ParameterError("recipe", dict(changes), allowed) from error


def check_search(recipe: Recipe) -> None:
    """See that all that a recipe wants searched exists.

    Parameters
    ----------
    recipe : Recipe
        The recipe.

    Raises
    ------
    ParameterError
        If an end or a choice of a range is no allowed value of its setting.
    """
    for name, where in recipe.search.items():
        for value in where.choices or (where.low, where.high):
            override(recipe, {name: value})


def save_recipe(path: str | PathLike[str], recipe: Recipe) -> None:
    """Write a recipe as a TOML file that `load_recipe` reads back unchanged.

    Parameters
    ----------
    path : str or path-like
        The file; written whole or not at all.
    recipe : Recipe
        The recipe.

    Raises
    ------
    OutputFileError
        If the file cannot be written.
    """
    with whole_file(path) as temporary:
        temporary.write_text(_toml(recipe.model_dump(exclude_none=True)), encoding="utf-8")


def explain(error: ValidationError) -> str:
    """What is wrong with settings, each fault by the dotted name of its key.

    Parameters
    ----------
    error : ValidationError
        From pydantic.

    Returns
    -------
    str
        One line.
    """
    faults = []
    for fault in error.errors(include_url=False):
        where = ".".join(str(part) for part in fault["loc"])
        if fault["type"] == "extra_forbidden":
            faults.append(f"unknown key {where}")
        else:
            message = fault["msg"].removeprefix("Value error, ")
            faults.append(f"{where}: {message}" if where else message)
    return "; ".join(faults)


def _toml(content: Mapping[str, Any]) -> str:
    plain = [(key, value) for key, value in content.items() if not isinstance(value, Mapping)]
    lines = [f"{_key(key)} = {_value(value)}" for key, value in plain]
    for name, table in content.items():
        if isinstance(table, Mapping) and table:
            lines += ["", f"[{_key(name)}]"]
            lines += [f"{_key(key)} = {_value(value)}" for key, value in table.items()]
    return "\n".join(lines) + "\n"


def _key(key: str) -> str:
    bare = key.replace("_", "").replace("-", "")
    return key if bare.isascii() and bare.isalnum() else _value(key)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    if isinstance(value, str):
        # TOML forbids the delete character that JSON leaves as it is.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value).lower() if isinstance(value, bool) else repr(value)
