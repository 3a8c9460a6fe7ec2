"""A model is a folder: model.json, and the booster's own text where it has one. Loading it cannot run code.

Nothing is unpickled or evaluated, nothing outside of the folder is opened, and sizes are bounded before anything is
read. A folder appears whole or not at all, and is never written to again.
"""

import hashlib
import json
import os
import shutil
import stat
import uuid
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from pydantic import ValidationError

from strategies.booster import Booster
from strategies.booster_text import BoosterError, read_booster
from strategies.flow.groups import FEATURES
from strategies.logistic import linear_log_odds
from strategies.model_manifest import MANIFEST, LightGBMManifest, LogisticManifest, Manifest, RuleManifest
from strategies.scoring import Model, RuleModel
from strategies.trained_model import TrainedModel

MANIFEST_NAME = "model.json"
MAX_MANIFEST_BYTES = 16 * 1024**2
MAX_BOOSTER_BYTES = 64 * 1024**2

_AGAIN = "write the folder with save_model and leave it as it is"
_UNIONS = ("normaliser", "calibrator")


class ModelError(ValueError):
    """A model folder that cannot be used or written: the message names file, key and value, and what to do."""


def load_model(folder: Path, *, schema_id: str) -> Model:
    """The model in `folder`, for snapshots of `schema_id`.

    Raises ModelError for a folder that is not whole or not well-formed, another schema, features that models may not
    have, and a LightGBM model where that library is missing.
    """
    path = folder / MANIFEST_NAME
    manifest = _parsed(_text(path, MAX_MANIFEST_BYTES), path)
    if manifest.schema_id != schema_id:
        raise ModelError(
            f"{path}: schema_id = {manifest.schema_id}: snapshots here have {schema_id}; train the model on snapshots "
            "of this schema, or run with the flow settings and features that it was trained with"
        )
    if isinstance(manifest, RuleManifest):
        return RuleModel(manifest.schema_id, manifest.barriers, manifest.slope)
    _require_learnable(manifest.features, path)
    if isinstance(manifest, LogisticManifest):
        coefficients = np.array(manifest.coefficients)
        return TrainedModel(manifest, partial(linear_log_odds, coefficients=coefficients, intercept=manifest.intercept))
    booster = folder / manifest.booster.file
    text = _text(booster, MAX_BOOSTER_BYTES)
    _require_digest(text, manifest, booster)
    try:
        return TrainedModel(manifest, Booster(text, manifest.features, manifest.takes_missing).log_odds)
    except BoosterError as error:
        raise ModelError(f"{booster}: {error}") from error


def save_model(folder: Path, manifest: Manifest, *, booster: str | None = None) -> None:
    """Write a model, with the `booster`'s text (``booster.model_to_string()``) if the manifest is one of LightGBM.

    The folder is made beside its place and renamed, so that nobody ever sees a part of it. Numbers come back to the
    bit. Raises ModelError where the folder exists, the manifest would not load, booster and manifest do not belong
    together, or the disk refuses.
    """
    path = folder / MANIFEST_NAME
    text = json.dumps(manifest.model_dump(mode="json"), indent=1) + "\n"
    files = {MANIFEST_NAME: text}
    checked = _parsed(text, path)
    if not isinstance(checked, RuleManifest):
        _require_learnable(checked.features, path)
    if isinstance(checked, LightGBMManifest) != (booster is not None):
        raise ModelError(f"{path}: kind = {checked.kind}: only a lightgbm model has, and needs, the text of a booster")
    if isinstance(checked, LightGBMManifest) and booster is not None:
        _require_digest(booster, checked, folder / checked.booster.file)
        try:
            read_booster(booster, checked.features, checked.takes_missing)
        except BoosterError as error:
            raise ModelError(f"{folder / checked.booster.file}: {error}") from error
        files[checked.booster.file] = booster
    for name, limit in ((MANIFEST_NAME, MAX_MANIFEST_BYTES), *((n, MAX_BOOSTER_BYTES) for n in files)):
        if len(files[name].encode()) > limit:
            raise ModelError(f"{folder / name}: more than {limit} bytes: it would not load; make the model smaller")
    if os.path.lexists(folder):
        raise ModelError(f"{folder}: it exists, and a model is never overwritten: give the new one a name of its own")
    try:
        _write_whole(folder, files)
    except OSError as error:
        raise ModelError(f"{folder}: cannot be written ({error}): make room and check the permissions") from error


def _write_whole(folder: Path, files: dict[str, str]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.parent / f".{folder.name}.{uuid.uuid4().hex}.partial"
    partial.mkdir()
    try:
        for name, text in files.items():
            with (partial / name).open("xb") as out:
                out.write(text.encode())
                out.flush()
                os.fsync(out.fileno())
        _sync_folder(partial)
        partial.rename(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _text(path: Path, limit: int) -> str:
    """A plain file of the folder: not a link out of it, not a pipe, not larger than `limit` bytes."""
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            raise ModelError(f"{path}: it is not a plain file: put the file itself into the folder")
        with path.open("rb") as source:
            content = source.read(limit + 1)
        if len(content) > limit:
            raise ModelError(f"{path}: it has more than {limit} bytes, and no model is that large: {_AGAIN}")
        return content.decode()
    except FileNotFoundError as error:
        raise ModelError(f"{path}: there is no such file: check the path of the model's folder; {_AGAIN}") from error
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error}): check its permissions") from error
    except UnicodeDecodeError as error:
        raise ModelError(f"{path}: it is not UTF-8 text ({error.reason} at byte {error.start}): {_AGAIN}") from error


def _parsed(text: str, path: Path) -> Manifest:
    """The manifest. JSON is read twice: Python's reader refuses what the other takes, NaN and keys given twice."""
    try:
        json.loads(text, parse_constant=_not_a_number, object_pairs_hook=_given_once)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: it is not the JSON of a model ({error}): {_AGAIN}") from error
    try:
        return MANIFEST.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key, message = _key(first["loc"]), first["msg"].removeprefix("Value error, ")
        raise ModelError(f"{path}: {key} = {_short(first['input'])}: {message}; {_AGAIN}") from error


def _not_a_number(literal: str) -> NoReturn:
    raise ValueError(f"{literal} is not a number")


def _given_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"the key {_short(twice)} is given twice")
    return found


def _key(place: tuple[int | str, ...]) -> str:
    """Where in the file, without the names that pydantic gives to the members of a union."""
    steps = [step for k, step in enumerate(place[1:]) if not (isinstance(step, str) and k > 0 and place[k] in _UNIONS)]
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return text.removeprefix(".") or "the whole"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _require_learnable(names: tuple[str, ...], path: Path) -> None:
    features = {feature.name: feature for feature in FEATURES}
    for k, name in enumerate(names):
        if name not in features:
            raise ModelError(
                f"{path}: features[{k}] = {name}: there is none of that name: train on those of docs/features.md"
            )
        if not features[name].learnable:
            raise ModelError(
                f"{path}: features[{k}] = {name}: it has a level of its own time or asset, so a model learns the date "
                "from it: train the model without it"
            )


def _require_digest(text: str, manifest: LightGBMManifest, path: Path) -> None:
    digest = hashlib.sha256(text.encode()).hexdigest()
    if digest != manifest.booster.sha256:
        raise ModelError(
            f"{path}: its SHA-256 is {digest} and booster.sha256 = {manifest.booster.sha256}: the files belong to "
            f"different models, or one was changed; {_AGAIN}"
        )
