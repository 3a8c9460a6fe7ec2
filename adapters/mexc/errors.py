"""What can go wrong with MEXC, split by what the operator must do about it.

Three questions decide the class: did the request reach the venue (:class:`MexcNotSentError`: certainly not), is its
outcome known (:class:`MexcUnknownOutcomeError`: no), and, where the venue has answered, what has to change
(:class:`MexcRefusedError` and its subclasses, by the venue's code: see ``error_codes``).
"""


class MexcError(Exception):
    """Anything that this adapter raises."""


class MexcPayloadError(MexcError):
    """The venue sent what cannot be read.

    `channel` is the channel of a frame or the name of an endpoint, `field` the path of the field ("" when the whole
    payload is at fault). What to do: report it; the market concerned is resynchronised, nothing is guessed.
    """

    def __init__(self, channel: str, field: str, problem: str) -> None:
        self.channel = channel
        self.field = field
        self.problem = problem
        super().__init__(f"{channel}: {field or 'payload'}: {problem}")


class MexcNotSentError(MexcError):
    """The request never left: no connection, the circuit breaker is open, or it waited too long for its turn.

    Nothing happened at the venue, which holds for orders as well.
    """


class MexcUnavailableError(MexcError):
    """A read got no answer in spite of its retries: the venue or the network is down. What to do: wait."""


class MexcUnknownOutcomeError(MexcError):
    """A request that changes something was sent, and whether the venue took it is unknown.

    It is never sent again by itself. What to do: ask for the order by its client id until the venue has answered or the
    signature's window is over (``assumptions.SIGNATURE_TOLERANCE_SECONDS`` after `sent_ms`).
    """

    def __init__(self, endpoint: str, sent_ms: int, reason: str) -> None:
        self.endpoint = endpoint
        self.sent_ms = sent_ms
        """Venue time (UNIX ms) that the request was signed with."""
        self.reason = reason
        super().__init__(f"{endpoint}: outcome unknown: {reason}")


class MexcRefusedError(MexcError):
    """The venue answered no. `code` is its code (an HTTP status where it gave none), `message` its localised text."""

    remedy = "read the venue's message"

    def __init__(self, endpoint: str, code: int, message: str, meaning: str) -> None:
        self.endpoint = endpoint
        self.code = code
        self.message = message
        self.meaning = meaning
        super().__init__(f"{endpoint}: refused with {code} ({meaning}): {message!r}: {self.remedy}")


class MexcKeyError(MexcError):
    """The API key itself: not set, unknown, expired, from a wrong address, or its signature is wrong."""


class MexcKeyRefusedError(MexcRefusedError, MexcKeyError):
    remedy = "check key, secret and IP list on the venue's API page; unbound keys expire after 90 days"


class MexcPermissionError(MexcRefusedError):
    remedy = "give the key this permission on the venue's API page: view and order placing of futures"


class MexcKycError(MexcRefusedError):
    remedy = "finish the identity check of the account on the venue's page"


class MexcClockError(MexcRefusedError):
    remedy = "the request was outside the venue's time window: the clock is corrected, send it anew"


class MexcFundsError(MexcRefusedError):
    remedy = "add margin, or ask for less"


class MexcParameterError(MexcRefusedError):
    remedy = "correct the request: symbol, price, quantity, type or leverage is not what the contract allows"


class MexcContractError(MexcRefusedError):
    remedy = "the contract cannot be traded by API now: take it out of the universe"


class MexcStateError(MexcRefusedError):
    """The request does not fit the state of the account: no such position or order, or another position mode."""

    remedy = "reconcile orders, positions and modes with the venue"


class MexcOrderNotFoundError(MexcStateError):
    remedy = "the venue has no such order: ask for it by its client id, or reconcile"


class MexcNotCancellableError(MexcStateError):
    remedy = "the order has ended already: ask for its state"


class MexcDuplicateOrderError(MexcStateError):
    remedy = "an order with this client id exists: ask for its state, do not send it again"


class MexcLimitError(MexcRefusedError):
    """A limit of positions, orders or risk of the account."""

    remedy = "close or cancel something first: the account's limit is reached"


class MexcBusyError(MexcRefusedError):
    """Too many requests, or the venue is overloaded. Reads are repeated by themselves."""

    remedy = "send less often"

    def __init__(
        self, endpoint: str, code: int, message: str, meaning: str, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(endpoint, code, message, meaning)
        self.retry_after_seconds = retry_after_seconds
        """What the venue asked for; None where it did not say."""


class MexcVenueDownError(MexcRefusedError):
    remedy = "the venue is failing or under maintenance: wait"
