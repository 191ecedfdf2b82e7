"""The trigger of a recording, which says where its files begin and end; the C engine decides, frame by frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pastream_cli.engine.facts import TriggerState
from pastream_cli.engine.native import check_memory, ffi, lib

if TYPE_CHECKING:
    from pastream_cli.engine.native import EngineHandle

_NEVER = 2**63 - 1


class Rules(NamedTuple):
    """When files begin and end. Levels are amplitudes, where full scale is 1."""

    level: float | None
    """A sample that reaches it begins a file, infinity: none does; `None`: the first frame begins the only file."""
    preroll_frames: int
    """What a file has of the frames before that."""
    silence_level: float
    """Samples below it are silent."""
    silence_frames: int | None
    """After so many silent frames a file ends; `None`: no silence ends it."""
    most_frames: int | None
    """So many frames after the first one of the first file the recording ends; `None`: it does not."""

    @property
    def is_armed(self) -> bool:
        """Whether the recording waits for the beginning of a file."""
        return self.level is not None

    @property
    def repeats(self) -> bool:
        """Whether there may be several files."""
        return self.is_armed and self.silence_frames is not None


class Trigger:
    """The trigger of one run.

    Parameters
    ----------
    engine : EngineHandle
        Its writers record what the trigger says.
    rules : Rules
        When files begin and end.
    """

    def __init__(self, engine: EngineHandle, rules: Rules) -> None:
        self.rules = rules
        self._engine = engine
        made = ffi.new("struct trigger_rules *")
        made.is_armed = rules.is_armed
        made.level = rules.level if rules.level is not None else 0.0
        made.preroll_frames = rules.preroll_frames
        made.silence_level = rules.silence_level
        made.silence_frames = -1 if rules.silence_frames is None else rules.silence_frames
        made.most_frames = -1 if rules.most_frames is None else rules.most_frames
        new = lib.trigger_new(made)
        self._handle = ffi.gc(check_memory(new, "cannot wait for a level"), lib.trigger_free)
        lib.engine_set_trigger(engine, self._handle)

    @property
    def state(self) -> TriggerState:
        """How it stands."""
        state = ffi.new("struct trigger_state *")
        lib.trigger_read_state(self._handle, state)
        end = None if state.end_frame == _NEVER else state.end_frame
        return TriggerState(bool(state.is_armed), bool(state.is_at_once), state.files, end, state.greatest)

    def begin(self) -> bool:
        """Have a file begin with the next frame; tell whether the trigger was armed."""
        return bool(lib.engine_trigger(self._engine))
