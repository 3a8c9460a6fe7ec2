"""What all private payloads share: ids become text, times numbers, decimals and names are held to what can be meant."""

from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

import msgspec

from adapters.mexc.errors import MexcPayloadError
from adapters.mexc.wire_numbers import exact, id_text, millis, name_text, optional_id, plain_text

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
    names: ClassVar[tuple[str, ...]] = ()
    """Contracts and currencies: text that Nautilus makes identifiers of."""
    oids: ClassVar[tuple[str, ...]] = ()
    """Client order ids as the venue has them; None or empty where there is none."""
    above_zero: ClassVar[tuple[str, ...]] = ()
    not_below_zero: ClassVar[tuple[str, ...]] = ()

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
            for name in self.names:
                name_text(getattr(self, name), kind, name)
            for name in self.oids:
                if value := getattr(self, name):
                    name_text(value, kind, name, any_script=False)
            for name in self.__struct_fields__:
                if isinstance(value := getattr(self, name), Decimal):
                    exact(value, kind, name)
            for name in self.not_below_zero:
                if (value := getattr(self, name)) is not None and value < 0:
                    raise MexcPayloadError(kind, name, f"{plain_text(value)} is negative")
            for name in self.above_zero:
                if (value := getattr(self, name)) <= 0:
                    raise MexcPayloadError(kind, name, f"{plain_text(value)} must be above 0")
        except MexcPayloadError as error:  # the decoder adds the channel and the path to a ValueError
            wire_name = self.__struct_encode_fields__[self.__struct_fields__.index(error.field)]
            raise ValueError(f"{wire_name}: {error.problem}") from error
