"""What fuzzing starts from, and how it is damaged: frames and replies of every kind, numbers and types turned bad."""

import json
import random
from typing import Any

from tests.adapters.mexc.protobuf_frames import deal_bytes, frame_bytes
from tests.adapters.mexc.recorded_payloads import FIXTURES

BAD_TOKENS = [
    "null", "true", "false", "0", "-0", "-1", "1", "1.0", "0.1", "1e400", "-1e400", "1e-400", "1E+13", "7.548E+4",
    "1e999999999999", "9007199254740993", "18446744073709551616", "9" * 40, "9" * 5000, "0." + "0" * 60 + "1", '""',
    '"NaN"', '"Infinity"', '"-inf"', '"sNaN"', '"1e9999999"', '"x"', '"\\ud800"', '"\\u0000"', '"٣"', '"0x10"',
    "[]", "{}", "[[]]", "[null]", '[1,2,3]', '{"a":1}', '"' + "y" * 300 + '"', "253402300800000",
    "176187779567135", "18446744073710", "-9223372036854775809", '"\\u5e01_USDT"', '" "',
]  # fmt: skip
"""JSON values that have broken parsers: raw texts, because Python would not write some of them."""
_MARK = "\u0001token"

FRAMES = [
    '{"symbol":"BTC_USDT","data":[{"p":84062.6,"v":13,"T":1,"O":3,"M":1,"t":1790870038339,"i":"16435741160","cts":"1790870038339"}],"channel":"push.deal","ts":1790870038339}',
    '{"symbol":"BTC_USDT","data":{"p":84062.6,"v":13,"T":2,"t":1790870038339,"i":16435741160},"channel":"push.deal","ts":1790870038339}',
    '{"symbol":"BTC_USDT","data":{"cts":1789498405531,"asks":[[84062.7,2868,1],[84063.1,0,0]],"bids":[[84062.6,8905,4]],"end":8752808003,"begin":8752807948,"version":8752808003},"channel":"push.depth","ts":1789498405534}',
    '{"symbol":"BTC_USDT","data":{"asks":[],"bids":[[83944.6,36272,8]],"version":42265411274},"channel":"push.depth","ts":1790855361787}',
    '{"symbol":"BTC_USDT","data":{"symbol":"BTC_USDT","interval":"Min1","t":1790869980,"o":84109.4,"c":84062.6,"h":84114.5,"l":84054,"a":1779128.94,"q":211601,"ro":84112,"rc":84062.6,"rh":84114.5,"rl":84054},"channel":"push.kline","ts":1790870038344}',
    '{"symbol":"BTC_USDT","data":{"symbol":"BTC_USDT","price":76027.1},"channel":"push.index.price","ts":1789498540911}',
    '{"symbol":"BTC_USDT","data":{"symbol":"BTC_USDT","price":75986},"channel":"push.fair.price","ts":1789498540821}',
    '{"symbol":"BTC_USDT","data":{"symbol":"BTC_USDT","rate":0.000081,"nextSettleTime":1789516800000},"channel":"push.funding.rate","ts":1789498561049}',
    '{"symbol":"BTC_USDT","data":{"symbol":"BTC_USDT","lastPrice":84055,"timestamp":1790870036854,"holdVol":546882118,"riseFallRates":[-0.0005]},"channel":"push.ticker","ts":1790870036854}',
    '{"channel":"push.contract","data":{"symbol":"BTC_USDT","baseCoin":"BTC","quoteCoin":"USDT","settleCoin":"USDT","contractSize":0.0001,"priceUnit":0.1,"volUnit":1,"minVol":1,"maxVol":9000,"limitMaxVol":9000,"state":0,"apiAllowed":true,"initialMarginRate":0.02,"maintenanceMarginRate":0.01,"futureType":1},"symbol":"BTC_USDT","ts":1760942212002}',
    '{"channel":"rs.error","data":"Contract [NOPE_USDT] not exists","ts":1789498321790}',
    '{"channel":"pong","data":1789498336785,"ts":1789498336785}',
]  # fmt: skip
REPLIES = [
    '{"success":true,"code":0,"data":{"asks":[[83581.7,63528,12]],"bids":[[83581.6,22870,1]],"version":42262313630,"timestamp":1790845673755,"cts":null}}',
    '{"success":true,"code":0,"data":[{"p":109177.4,"v":14,"T":1,"O":1,"M":2,"t":1761883066648}]}',
    '{"success":true,"code":0,"data":{"time":[1761876000],"open":[1.5],"close":[2],"high":[2],"low":[1],"vol":[5.0],"amount":[6.1E7],"realOpen":[1.6],"realClose":[2],"realHigh":[2],"realLow":[1.5]}}',
    '{"success":true,"code":0,"data":{"symbol":"BTC_USDT","fundingRate":6.7E-5,"collectCycle":8,"nextSettleTime":1789459200000,"timestamp":1789455551670}}',
    '{"success":true,"code":0,"data":{"resultList":[{"symbol":"BTC_USDT","fundingRate":0.0001,"settleTime":1789430400000,"collectCycle":8}]}}',
    '{"success":true,"code":0,"data":1761875313209}',
    '{"success":false,"code":1001,"message":"Contract does not exist"}',
    '{"symbols":[{"symbol":"BTCUSDT","status":"1","baseAsset":"BTC","quoteAsset":"USDT","baseAssetPrecision":8,"quotePrecision":2,"baseSizePrecision":"0.000001"}]}',
]  # fmt: skip
PROTOBUF = [frame_bytes(deal_bytes("93220.00", "0.04438243", 2, 1_736_409_765_051, "5059")), frame_bytes(deal_bytes())]


def texts() -> list[str]:
    """Hand-written payloads, and the fixtures where they are there."""
    found = FRAMES + REPLIES
    if FIXTURES.is_dir():
        for path in sorted(FIXTURES.glob("*.json")):
            content = json.loads(path.read_text())
            found += (
                [t for t in content if isinstance(t, str)] if path.name.startswith("ws_") else [json.dumps(content)]
            )
    return found


def damaged(text: str, rng: random.Random) -> bytes:
    """A payload with a few things wrong: bad values, missing and doubled keys, or bytes."""
    choice = rng.random()
    if choice < 0.75:
        value = json.loads(text)
        tokens: list[str] = []
        for _ in range(rng.randint(1, 3)):
            value = _damage_value(value, rng, tokens)
        out = json.dumps(value, ensure_ascii=rng.random() < 0.5, separators=(",", ":"))
        for number, token in enumerate(tokens):
            out = out.replace(json.dumps(f"{_MARK}{number}."), token)
        raw = out.encode(errors="surrogatepass")
        return raw if choice < 0.65 else damaged_bytes(raw, rng)
    return damaged_bytes(text.encode(), rng)


def damaged_bytes(raw: bytes, rng: random.Random) -> bytes:
    """Bytes flipped, cut out, doubled or put in."""
    data = bytearray(raw)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data) + 1)
        end = min(len(data), at + rng.randint(1, 8))
        kind = rng.randrange(4)
        if kind == 0 and at < len(data):
            data[at] = rng.randrange(256)
        elif kind == 1:
            del data[at:end]
        elif kind == 2:
            data[at:at] = data[at:end] * rng.randint(1, 3)
        else:
            data[at:at] = bytes(rng.randrange(256) for _ in range(rng.randint(1, 4)))
    return bytes(data)


def _damage_value(value: Any, rng: random.Random, tokens: list[str]) -> Any:
    """One change somewhere inside."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(list(value))
        if rng.random() < 0.15:
            return {k: v for k, v in value.items() if k != key}
        return value | {key: _damage_value(value[key], rng, tokens)}
    if isinstance(value, list) and value and rng.random() < 0.9:
        at = rng.randrange(len(value))
        if rng.random() < 0.1:
            return value[:at] + value[at + 1 :]
        if rng.random() < 0.1:
            return value + value[at:]
        return [*value[:at], _damage_value(value[at], rng, tokens), *value[at + 1 :]]
    tokens.append(rng.choice(BAD_TOKENS))
    return f"{_MARK}{len(tokens) - 1}."
