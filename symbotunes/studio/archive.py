"""A session as one ZIP file, with all that repeats it."""

import io
import json
import zipfile
from typing import Any

from symbotunes.files import finite
from symbotunes.studio.commands import comment
from symbotunes.studio.piece import StudioPiece, record_of
from symbotunes.studio.session import FILES, Session

README = """A session of the Symbotunes studio.

pieces/        every piece as MIDI, and as ABC if it has any
session.json   what each piece was made from, by which model, with which settings and seed
commands.sh    the commands that write the pieces again; unpack this archive in the folder in
               which the studio was started, since they name its models and these files from there
"""


def zip_bytes(session: Session) -> bytes:
    """All pieces of a session, their settings and the commands that repeat them.

    Everything is in one folder with the name of the session.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in _files(session).items():
            archive.writestr(f"{session.name}/{name}", content)
    return buffer.getvalue()


def _files(session: Session) -> dict[str, bytes | str]:
    pieces = session.pieces
    commands = {piece.id: session.command_in(piece.id, session.name) for piece in pieces}
    table = [_row(piece, commands[piece.id]) for piece in pieces]
    text = json.dumps(finite({"pieces": table}), indent=2, ensure_ascii=False) + "\n"
    files: dict[str, bytes | str] = {
        "README.txt": README, "session.json": text, "commands.sh": _script(pieces, commands),
    }  # fmt: skip
    for piece in pieces:
        files[f"{FILES}/{piece.id}.mid"] = piece.midi()
        if piece.sample.abc is not None:
            files[f"{FILES}/{piece.id}.abc"] = piece.sample.abc
    return files


def _row(piece: StudioPiece, command: str | None) -> dict[str, Any]:
    record = record_of(piece)
    return {
        "id": piece.id,
        "title": piece.sample.title,
        "parent": piece.parent,
        "origin": record["origin"],
        "seed": None if piece.sample.from_user else piece.sample.seed,
        "command": command,
        "remarks": list(piece.sample.notes),
        "files": [f"{FILES}/{piece.id}.{suffix}" for suffix in {"mid": 0, piece.suffix: 0}],
    }


def _script(pieces: tuple[StudioPiece, ...], commands: dict[str, str | None]) -> str:
    lines = []
    for piece in pieces:
        lines.append(comment(f"{piece.id}. {piece.sample.title}"))
        file = f"{FILES}/{piece.id}.{piece.suffix} is a file of yours, which no command writes"
        lines += [commands[piece.id] or comment(file), ""]
    return "\n".join(lines)
