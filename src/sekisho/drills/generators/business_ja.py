"""Formal Japanese business replies: e-mails in keigo, put together from parts; no real company is named."""

from collections.abc import Callable
from typing import Final

from sekisho.drills.generators.draw import Draw, distinct, turn
from sekisho.models.base import Chat

FAMILIES: Final = (
    "佐藤", "鈴木", "高橋", "田中", "伊藤", "渡辺", "山本", "中村", "小林", "加藤",
    "吉田", "山田", "松本", "井上", "木村", "清水", "林", "森", "池田", "橋本",
)  # fmt: skip
THEIRS: Final = ("購買部", "調達課", "総務部", "資材課", "生産管理課", "設備課", "品質保証部", "開発部")
OURS: Final = ("営業部", "営業一課", "お客様窓口", "国内営業課", "技術営業課", "業務課")
GOODS: Final = (
    ("樹脂ケース", "個"), ("ステンレス製ボルト", "本"), ("搬送用ローラー", "本"), ("アルミ板", "枚"),
    ("制御用ケーブル", "本"), ("梱包用段ボール箱", "箱"), ("圧力計", "台"), ("作業用手袋", "双"),
    ("温度センサー", "個"), ("ゴム製パッキン", "個"), ("小型モーター", "台"), ("保護フィルム", "巻"),
    ("検査用照明", "台"), ("収納棚", "台"), ("ろ過フィルター", "枚"), ("表示ラベル", "枚"),
)  # fmt: skip
"""(goods, counter)."""
REASONS: Final = (
    "原材料の入荷が遅れた", "出荷前の検査に時間を要した", "生産設備の点検が長引いた",
    "ご注文の集中により組立が遅れた", "悪天候により輸送が滞った",
)  # fmt: skip
SLIPS: Final = (
    ("数量に不足がございました", "不足分"),
    ("外箱に破損がございました", "代替品"),
    ("表面に傷が見つかりました", "良品"),
    ("納品書の記載に誤りがございました", "訂正した納品書"),
)
"""(what went wrong, what is sent instead)."""
TOPICS: Final = (
    "新製品の仕様",
    "来期の発注計画",
    "品質改善の進め方",
    "納入方法の見直し",
    "年間契約の更新",
    "現場での試運転",
)
ROOMS: Final = ("貴社会議室", "弊社本社の応接室", "弊社工場の会議室", "オンライン会議")
QUALITIES: Final = (
    "使用できる温度の範囲",
    "標準の寸法",
    "耐用年数の目安",
    "最小のご注文数",
    "保管の方法",
    "お手入れの手順",
)
OPENINGS: Final = (
    "いつも大変お世話になっております。",
    "平素より格別のお引き立てを賜り、厚く御礼申し上げます。",
    "日頃より大変お世話になっております。",
    "平素は格別のご高配を賜り、誠にありがとうございます。",
)
CLOSINGS: Final = (
    "何卒よろしくお願い申し上げます。",
    "今後ともよろしくお願い申し上げます。",
    "引き続きよろしくお願いいたします。",
    "ご確認のほど、よろしくお願い申し上げます。",
)
ASKS: Final = (
    "次の内容の返信メールを、丁寧な敬語で書いてください。{situation}",
    "{situation}この件について、取引先に送る返信の文面を作成してください。",
    "取引先への返信を考えています。{situation}ビジネスメールとして整った文章にしてください。",
    "{situation}先方に失礼のない返信メールを書いてください。",
)

Letter = tuple[str, tuple[str, ...]]
"""(the situation, paragraphs of the reply)."""


def _day(d: Draw) -> str:
    return f"{d.whole(1, 12)}月{d.whole(1, 28)}日"


def _delivery(d: Draw) -> Letter:
    (goods, counter), day, count = d.pick(GOODS), _day(d), d.whole(2, 60) * 10
    return (
        f"{goods}{count}{counter}の納期を尋ねられました。{day}に納品できます。",
        (
            f"このたびは、{goods}の納期についてお問い合わせいただき、誠にありがとうございます。",
            f"社内で確認いたしましたところ、{goods}{count}{counter}は{day}に納品できる見込みでございます。"
            + d.pick(
                (
                    "出荷の手配が整いましたら、改めてご連絡申し上げます。",
                    "発送の当日に、送り状の番号をお知らせいたします。",
                    "受け入れのご都合が悪い場合は、お早めにお知らせいただけますと幸いです。",
                )
            ),
        ),
    )


def _delay(d: Draw) -> Letter:
    (goods, _), reason, day = d.pick(GOODS), d.pick(REASONS), _day(d)
    return (
        f"{goods}の納品が遅れています。{reason}ためで、新しい納期は{day}です。お詫びを伝えます。",
        (
            f"このたびは、{goods}の納品が遅れておりますこと、心よりお詫び申し上げます。",
            f"{reason}ため、当初の予定どおりにお届けすることができませんでした。新しい納期は{day}を予定しております。",
            d.pick(
                (
                    "今後は工程の管理を徹底し、再発の防止に努めてまいります。",
                    "お急ぎの分がございましたら、先にお送りできないか検討いたしますので、お申し付けください。",
                    "多大なご迷惑をおかけいたしますが、ご容赦くださいますようお願い申し上げます。",
                )
            ),
        ),
    )


def _quotation(d: Draw) -> Letter:
    (goods, counter), count, price, day = d.pick(GOODS), d.whole(2, 60) * 10, d.whole(12, 480) * 10, _day(d)
    return (
        f"{goods}{count}{counter}の見積もりを頼まれました。単価は{price:,}円、見積もりの期限は{day}です。",
        (
            f"このたびは、{goods}のお見積もりをご依頼いただき、誠にありがとうございます。",
            (
                f"{goods}{count}{counter}につきまして、単価{price:,}円、合計{price * count:,}円(税別)にてご用意いたします。"
                f"お見積もりの有効期限は{day}でございます。"
            ),
            d.pick(
                (
                    "数量の変更などがございましたら、お気軽にお申し付けください。",
                    "ご不明な点がございましたら、遠慮なくお問い合わせください。",
                    "内容をご検討いただき、ご用命を賜りますようお願い申し上げます。",
                )
            ),
        ),
    )


def _apology(d: Draw) -> Letter:
    (goods, _), (slip, instead), day = d.pick(GOODS), d.pick(SLIPS), _day(d)
    return (
        f"納品した{goods}について「{slip}」とお叱りを受けました。{instead}を{day}にお届けします。",
        (
            f"このたびは、納品いたしました{goods}につきまして、{slip}とのご連絡をいただき、誠に申し訳ございません。",
            f"ただちに手配いたしまして、{instead}を{day}にお届けいたします。",
            d.pick(
                (
                    "原因を調査のうえ、改めて書面にてご報告申し上げます。",
                    "出荷前の確認を二重に行い、再発の防止に努めてまいります。",
                    "お手数をおかけいたしますこと、重ねてお詫び申し上げます。",
                )
            ),
        ),
    )


def _meeting(d: Draw) -> Letter:
    topic, room, day, hour = d.pick(TOPICS), d.pick(ROOMS), _day(d), d.whole(9, 17)
    return (
        f"{topic}についての打ち合わせを、{day}の{hour}時から{room}で行いたいと返事をします。",
        (
            f"{topic}に関するお打ち合わせの件、ご連絡をいただきありがとうございます。",
            f"日時は{day}の{hour}時から、場所は{room}にてお願いできればと存じます。"
            + d.pick(
                (
                    "所要時間は一時間ほどを見込んでおります。",
                    "当日の資料は、前日までにお送りいたします。",
                    "ご都合が合わない場合は、別の日程をご提案ください。",
                )
            ),
        ),
    )


def _enquiry(d: Draw) -> Letter:
    (goods, _), quality, day = d.pick(GOODS), d.pick(QUALITIES), _day(d)
    return (
        f"{goods}について、{quality}を教えてほしいと問い合わせがありました。{day}までに技術担当から答えます。",
        (
            f"このたびは、{goods}に関してお問い合わせいただき、厚く御礼申し上げます。",
            (
                f"ご質問の{quality}につきましては、現在、技術の担当者が確認しております。"
                f"{day}までに、担当者より詳しくご回答申し上げます。"
            ),
            d.pick(
                (
                    "お待たせいたしまして恐縮ですが、今しばらくお時間を頂戴できますと幸いです。",
                    "ほかにもお知りになりたい点がございましたら、併せてお知らせください。",
                    "参考までに、製品の説明資料を添付いたしますのでご覧ください。",
                )
            ),
        ),
    )


def _change(d: Draw) -> Letter:
    (goods, counter), (before, after) = d.pick(GOODS), d.pair(range(20, 400, 10))
    return (
        f"{goods}の注文を{before}{counter}から{after}{counter}に変更したいと頼まれ、承ります。",
        (
            f"{goods}のご注文数の変更につきまして、ご連絡をいただきありがとうございます。",
            f"ご注文を{before}{counter}から{after}{counter}へ変更することを、確かに承りました。"
            + d.pick(
                (
                    "変更後の注文請書を、本日中にお送りいたします。",
                    "納期に変わりはございませんので、ご安心ください。",
                    "金額は、改めてお送りする見積書にてご確認ください。",
                )
            ),
        ),
    )


LETTERS: Final[tuple[Callable[[Draw], Letter], ...]] = (
    _delivery,
    _delay,
    _quotation,
    _apology,
    _meeting,
    _enquiry,
    _change,
)
"""Occasions of a reply; each row draws one of them, then its particulars."""


def _row(draw: Draw) -> Chat:
    situation, paragraphs = draw.pick(LETTERS)(draw)
    them, us = draw.pair(FAMILIES)
    head = f"{draw.pick(THEIRS)} {them}様"
    greeting = f"{draw.pick(OPENINGS)}{draw.pick(OURS)}の{us}でございます。"
    body = "\n".join((head, "", greeting, "", *paragraphs, "", draw.pick(CLOSINGS)))
    return turn(draw.pick(ASKS).format(situation=situation), body)


def rows(n: int, seed: int) -> tuple[Chat, ...]:
    """Make n different requests for a business e-mail, each with its reply."""
    return distinct(n, Draw("business_ja", seed), _row)
