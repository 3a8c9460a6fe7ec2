"""What all private payloads share: ids become text, times become numbers, decimals are held to what can be meant."""

from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

import msgspec

from adapters.mexc.errors import MexcPayloadError
from adapters.mexc.wire_numbers import exact, id_text, millis, optional_id

if TYPE_CHECKING:
    type Id = str
    type Millis = int
else:  # what the wire may carry; `Payload` makes one type of it
    Id = str | int
    Millis = int | str


class Payload(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A struct whose ids are text, whose times are numbers, and whose decimals are of a size that can be meant."""

    ids: ClassVar[tuple[str, ...]] = ()
    links: ClassVar[tuple[str, ...]] = ()
    """Ids of something else, where 0 stands for none."""
    times: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        kind = type(self).__name__
        try:
            for name in self.ids:
                msgspec.structs.force_setattr(self, name, id_text(getattr(self, name), kind, name))
            for name in self.links:
                msgspec.structs.force_setattr(self, name, optional_id(getattr(self, name), kind, name))
            for name in self.times:
                if (value := getattr(self, name)) is not None:
                    msgspec.structs.force_setattr(self, name, millis(value, kind, name))
            for name in self.__struct_fields__:
                if isinstance(value := getattr(self, name), Decimal):
                    exact(value, kind, name)
        except MexcPayloadError as error:  # the decoder adds the channel and the path to a ValueError
            wire_name = self.__struct_encode_fields__[self.__struct_fields__.index(error.field)]
            raise ValueError(f"{wire_name}: {error.problem}") from error
