"""What fuzzing starts from: a frame or reply of every shape that the adapter reads, and the fixtures where they are."""

import json

from tests.adapters.mexc.protobuf_frames import deal_bytes, frame_bytes
from tests.adapters.mexc.recorded_payloads import FIXTURES

PUBLIC_FRAMES = [
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
PRIVATE_FRAMES = [
    '{"channel":"push.personal.order","data":{"orderId":"739000000000000001","externalOid":"O-1","symbol":"BTC_USDT","side":1,"orderType":1,"state":2,"vol":10,"dealVol":4,"remainVol":6,"price":84000.1,"dealAvgPrice":84000.1,"takerFee":0,"makerFee":0.02,"feeCurrency":"USDT","profit":0,"errorCode":0,"category":1,"positionId":"1","positionMode":1,"openType":1,"leverage":5,"version":2,"createTime":1761912098000,"updateTime":"1761912098001"},"ts":1761912098002}',
    '{"channel":"push.personal.order.deal","data":{"id":"13900000001","orderId":739000000000000001,"externalOid":"O-1","symbol":"BTC_USDT","side":4,"vol":4,"price":8.40001E+4,"fee":0.0018,"feeCurrency":"USDT","profit":-0.5,"taker":true,"category":1,"isSelf":false,"positionMode":1,"timestamp":1761912098000},"ts":1761912098002}',
    '{"channel":"push.personal.plan.order","data":{"id":"355000001","symbol":"BTC_USDT","side":2,"orderType":5,"state":3,"vol":1,"triggerPrice":80000,"triggerType":2,"trend":1,"executeCycle":168,"orderId":"739000000000000002","errorCode":0,"leverage":5,"openType":1,"positionMode":1,"price":0,"createTime":1761912098000,"updateTime":1761912099000},"ts":1761912099002}',
    '{"channel":"push.personal.position","data":{"positionId":102000001,"symbol":"BTC_USDT","positionType":1,"openType":1,"state":1,"holdVol":4,"frozenVol":0,"closeVol":0,"holdAvgPrice":84000.1,"openAvgPrice":84000.1,"closeAvgPrice":0,"liquidatePrice":67000.1,"oim":6.7,"im":6.7,"holdFee":0,"realised":-0.0018,"fee":-0.0018,"leverage":5,"autoAddIm":false,"pnl":0.1,"marginRatio":0.01,"version":1,"updateTime":1761912098000},"ts":1761912098003}',
    '{"channel":"push.personal.asset","data":{"currency":"USDT","availableBalance":92.7,"frozenBalance":0.5,"positionMargin":6.7,"bonus":0},"ts":1761912098004}',
    '{"channel":"push.personal.liquidate.risk","data":{"symbol":"BTC_USDT","positionId":102000001,"positionType":1,"openType":1,"liquidatePrice":67000.1,"marginRatio":0.81,"adlLevel":3},"ts":1761912098005}',
    '{"channel":"push.personal.position.mode","data":{"positionMode":2},"ts":1761912098006}',
    '{"channel":"rs.login","data":"success","ts":"1761912098000"}',
    '{"channel":"rs.error","data":"Login failed","ts":1761912098000}',
]  # fmt: skip
REPLIES = [
    '{"success":true,"code":0,"data":{"asks":[[83581.7,63528,12]],"bids":[[83581.6,22870,1]],"version":42262313630,"timestamp":1790845673755,"cts":null}}',
    '{"success":true,"code":0,"data":[{"asks":[[83581.7,63528,12]],"bids":[],"version":42262313630,"cts":1790845673755}]}',
    '{"success":true,"code":0,"data":{"askMarketLevelPrice":111089.4,"asks":[[111090,398676,26]],"bidMarketLevelPrice":111085.5,"bids":[[111080,461204,35]],"ct":1760950364388,"version":27883254360}}',
    '{"success":true,"code":0,"data":[{"p":109177.4,"v":14,"T":1,"O":1,"M":2,"t":1761883066648}]}',
    '{"success":true,"code":0,"data":{"time":[1761876000],"open":[1.5],"close":[2],"high":[2],"low":[1],"vol":[5.0],"amount":[6.1E7],"realOpen":[1.6],"realClose":[2],"realHigh":[2],"realLow":[1.5]}}',
    '{"success":true,"code":0,"data":{"symbol":"BTC_USDT","fundingRate":6.7E-5,"collectCycle":8,"nextSettleTime":1789459200000,"timestamp":1789455551670,"idxPrice":77271.6,"fairPrice":77270}}',
    '{"success":true,"code":0,"data":{"resultList":[{"symbol":"BTC_USDT","fundingRate":0.0001,"settleTime":1789430400000,"collectCycle":8}]}}',
    '{"success":true,"code":0,"data":{"symbol":"BTC_USDT","indexPrice":77271.6,"timestamp":1789430400000}}',
    '{"success":true,"code":0,"data":{"symbol":"BTC_USDT","fairPrice":77271.6,"timestamp":1789430400000}}',
    '{"success":true,"code":0,"data":{"symbol":"BTC_USDT","lastPrice":1,"bid1":1,"ask1":2,"volume24":3,"amount24":4E+3,"holdVol":5,"fundingRate":0.1,"timestamp":1790870036854,"riseFallRates":{"zone":"UTC+8","r":0.5}}}',
    '{"success":true,"code":0,"data":[{"symbol":"BTC_USDT","baseCoin":"BTC","quoteCoin":"USDT","settleCoin":"USDT","contractSize":0.0001,"priceScale":1,"volScale":0,"priceUnit":0.1,"volUnit":1,"minVol":1,"maxVol":9000,"limitMaxVol":9000,"state":0,"apiAllowed":true,"initialMarginRate":0.02,"maintenanceMarginRate":0.01,"futureType":1,"riskLimitCustom":[{"level":1,"maxVol":100,"mmr":0.01,"imr":0.02,"maxLeverage":50}],"maxNumOrders":[200,50],"depthStepList":["0.1","1"],"indexOrigin":["BYBIT"]},{"symbol":"ETH_USD","baseCoin":"ETH","quoteCoin":"USD","settleCoin":"ETH","contractSize":10,"priceUnit":0.01,"volUnit":1,"minVol":1,"maxVol":9000,"state":0,"apiAllowed":true,"initialMarginRate":0.02,"maintenanceMarginRate":0.01}]}',
    '{"success":true,"code":0,"data":1761875313209}',
    '{"success":true,"code":0,"data":2}',
    '{"success":true,"code":0,"data":[{"orderId":"739000000000000001","symbol":"BTC_USDT","side":3,"orderType":5,"state":3,"vol":10,"dealVol":10,"price":75600.1,"createTime":1761912098000,"updateTime":1761912098000,"positionId":0,"errorCode":0,"version":null}]}',
    '{"success":true,"code":0,"data":{"pageSize":20,"totalCount":1,"resultList":[{"id":13900000001,"orderId":"739000000000000001","symbol":"BTC_USDT","side":2,"vol":4,"price":84000.1,"fee":"-0.0018","feeCurrency":"USDT","isTaker":false,"timestamp":"1761912098000"}]}}',
    '{"success":true,"code":0,"data":[{"id":"355000001","symbol":"BTC_USDT","side":4,"orderType":1,"state":1,"vol":1,"triggerPrice":80000,"triggerType":1,"price":79999.9,"createTime":1761912098000,"updateTime":1761912098000}]}',
    '{"success":true,"code":0,"data":[{"id":357000001,"orderId":0,"symbol":"BTC_USDT","positionId":"102000001","stopLossPrice":1.5,"state":1,"triggerSide":0,"positionType":1,"vol":3,"realityVol":0,"placeOrderId":"0","errorCode":0,"version":1,"isFinished":0,"createTime":1761912098000,"updateTime":1761912098000}]}',
    '{"success":true,"code":0,"data":[{"positionId":102000001,"symbol":"BTC_USDT","positionType":2,"openType":2,"state":1,"holdVol":4,"holdAvgPrice":84000.1,"createTime":1761912098000,"updateTime":1761912098000}]}',
    '{"success":true,"code":0,"data":[{"currency":"USDT","availableBalance":92.70984793658,"frozenBalance":0,"positionMargin":6.7,"cashBalance":99.4,"equity":99.4,"unrealized":0,"bonus":0}]}',
    '{"success":true,"code":0,"data":[{"level":1,"positionType":1,"openType":1,"leverage":20,"maxVol":5,"mmr":0.004,"imr":0.005,"symbol":"BTC_USDT"}]}',
    '{"success":true,"code":0,"data":{"symbol":"BTC_USDT","realMakerFee":0.0006,"realTakerFee":0.0008,"level":0,"feeRateMode":"NORMAL"}}',
    '{"success":true,"code":0,"data":{"orderId":"739113577038255616","ts":1761888808839}}',
    '{"success":true,"code":0,"data":"739206374277809664"}',
    '{"success":true,"code":0,"data":102057569836905984}',
    ('{"success":true,"code":0,"data":[{"orderId":101716841474621953,"errorCode":2040,"errorMsg":"order not exist"},'
    '{"externalOid":"O-1","errorCode":0}]}'),
    '{"success":true,"code":0}',
    '{"success":false,"code":1001,"message":"Contract does not exist"}',
    '{"symbols":[{"symbol":"BTCUSDT","status":"1","baseAsset":"BTC","quoteAsset":"USDT","baseAssetPrecision":8,"quotePrecision":2,"baseSizePrecision":"0.000001","makerCommission":"0","takerCommission":"0.0005"}]}',
    '{"id":0,"code":0,"msg":"spot@public.aggre.deals.v3.api.pb@100ms@BTCUSDT"}',
]  # fmt: skip
PROTOBUF = [
    frame_bytes(deal_bytes("93220.00", "0.04438243", 2, 1_736_409_765_051, "5059")),
    frame_bytes(deal_bytes("93220.01", "1E-3", 1, 1_736_409_765_052), deal_bytes("93219", "7", 2, 1_736_409_765_051)),
    frame_bytes(deal_bytes()),
]


def texts() -> list[str]:
    """All of the JSON ones."""
    found = PUBLIC_FRAMES + PRIVATE_FRAMES + REPLIES
    if FIXTURES.is_dir():
        for path in sorted(FIXTURES.glob("*.json")):
            content = json.loads(path.read_text())
            if path.name.startswith("ws_"):
                found += [text for text in content if isinstance(text, str)]
            else:
                found.append(json.dumps(content))
    return found
