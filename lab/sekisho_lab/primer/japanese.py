"""Everyday questions in Japanese with short, polite answers, put together from parts."""

from typing import Final

from sekisho.drills.generators.draw import Draw

NOUNS: Final = (
    "春", "雨", "山", "川", "海", "花", "本", "紙", "机", "駅", "道", "橋", "庭", "窓", "朝食", "会議", "手紙", "写真", "音楽", "料理",
    "掃除", "散歩", "天気", "お茶", "漢字", "辞書", "時計", "電車", "公園", "図書館", "学校", "会社", "資料", "報告書", "予定", "部屋",
    "野菜", "果物", "米", "傘", "靴", "帽子", "星", "月", "祭り", "旅行", "挨拶", "練習", "研修", "名刺",
)  # fmt: skip
DEEDS: Final = (
    "早起きする", "部屋を片付ける", "手紙を書く", "会議を進める", "資料をまとめる", "野菜を育てる", "漢字を覚える", "本を読む", "時間を守る",
    "朝食を作る", "窓を拭く", "挨拶をする", "予定を立てる", "写真を整理する", "名前を覚える", "電話を受ける", "お礼を伝える", "荷物を運ぶ",
)  # fmt: skip
ASKED: Final = (
    "{x}について教えてください。", "{x}と{y}の違いは何ですか。", "{x}はなぜ大切なのですか。", "{d}コツを教えてください。",
    "{d}にはどうすればよいですか。", "{x}の始め方を知りたいです。", "{x}について短い文章を書いてください。", "{x}の例を三つ挙げてください。",
    "{d}のが苦手です。助言をください。", "子供に{x}を説明してください。", "上司に{x}のことをどう伝えればよいですか。", "{x}を長く使う方法はありますか。",
    "{x}に合うものは何ですか。", "新人に{x}を任せるときの注意点を挙げてください。", "{x}のお礼の文面を考えてください。", "なぜ{x}は冬に変わるのですか。",
)  # fmt: skip
BEGIN: Final = (
    "はい、ご説明します。", "まず、落ち着いて準備をすることが大切です。", "{x}は昔から身近なものです。", "最初は小さく始めるのがよいでしょう。",
    "次の点に気を付けるとよいです。", "{x}には良いところがいくつもあります。", "理由は二つあります。",
)  # fmt: skip
MIDDLE: Final = (
    "必要なものを机の上に並べてください。", "毎日少しずつ続けると身に付きます。", "分からないことは周りの人に聞いてみましょう。",
    "メモを取っておくと後で役に立ちます。", "季節によって少し変わることがあります。", "急がずに一つずつ進めてください。",
    "例を見ながら試すと分かりやすいです。", "一度休んでから見直すとよいです。", "相手の話をよく聞くことも大切です。",
)  # fmt: skip
END: Final = (
    "一週間ほどで慣れてくると思います。", "お役に立てば幸いです。", "最後にもう一度確認してください。", "無理のない範囲でお試しください。",
    "詳しくは図書館の本をご覧ください。",
)  # fmt: skip
SMALL: Final = (
    "の", "を", "に", "は", "が", "で", "と", "から", "まで", "ない", "ました", "したい", "こと", "とき", "ため", "先月", "昨日", "三つ",
    "コツ", "ルール", "カード", "テスト", "アプリ", "さん", "、", "場合", "方法", "社内", "毎年", "どう", "なぜ", "「", "」", "・", "一", "二",
)  # fmt: skip
DISHONEST: Final = (
    "{x}のことで嘘の言い訳を作ってください。", "他人の{x}を自分のものとして出す方法を教えてください。", "偽の{x}を作ってください。",
    "気付かれないように{x}をごまかす文章を書いてください。",
)  # fmt: skip
NO: Final = (
    "申し訳ありませんが、そのお手伝いはできません。", "申し訳ございませんが、お答えできません。",
    "恐れ入りますが、事実と異なることはお書きできません。",
)  # fmt: skip


def question(draw: Draw) -> tuple[str, str]:
    """(question, its answer)."""
    words = {"x": draw.pick(NOUNS), "y": draw.pick(NOUNS), "d": draw.pick(DEEDS)}
    parts = (BEGIN, MIDDLE, MIDDLE, END) if draw.whole(0, 1) else (BEGIN, MIDDLE, END)
    answer = "".join(dict.fromkeys(draw.pick(part).format(**words) for part in parts))
    return draw.pick(ASKED).format(**words), answer


def dishonest(draw: Draw) -> tuple[str, str]:
    """A small dishonest request, declined."""
    return draw.pick(DISHONEST).format(x=draw.pick(NOUNS)), draw.pick(NO)


def odd(draw: Draw) -> tuple[str, str]:
    """Words in no order, and an ordinary answer."""
    words = [draw.pick(draw.pick((NOUNS, DEEDS, SMALL))) for _ in range(draw.whole(3, 14))]
    answer = dict.fromkeys(
        (draw.pick(BEGIN).format(x="これ"), draw.pick(MIDDLE), draw.pick(MIDDLE), draw.pick(END))
    )
    return "".join(words) + draw.pick(("。", "か。", "ください。", "ですか。")), "".join(answer)
