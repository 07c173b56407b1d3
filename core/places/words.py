"""Word tables of how people name a community: data, no behaviour.

Every table is a tuple of simplified, lower-case words. The folding of
`naming.fold` has already been applied to what they are compared with,
except where a table says otherwise.
"""

# The district itself: said before a name, or part of a registered name.
DISTRICT = (
    "上海市徐汇区",
    "上海徐汇区",
    "上海市徐汇",
    "上海徐汇",
    "徐汇区",
    "徐汇",
    "上海市",
    "上海",
)

# Endings that say only "this is where people live": adding or leaving one out
# never makes it another community.
EMPTY_ENDINGS = (
    "住宅小区",
    "居民小区",
    "住宅区",
    "居民区",
    "居委会",
    "居委",
    "小区",
    "社区",
)

# Endings that people leave out, or swap for another of the same family.
# Swapped across families it may be another place, so that is asked back.
FAMILIES: dict[str, str] = {
    "花园": "garden",
    "花苑": "garden",
    "家园": "garden",
    "家苑": "garden",
    "佳园": "garden",
    "佳苑": "garden",
    "豪园": "garden",
    "豪苑": "garden",
    "苑": "garden",
    "园": "garden",
    "公寓": "flats",
    "老公寓": "flats",
    "大厦": "tower",
    "大楼": "tower",
    "商务楼": "tower",
    "新村": "village",
    "别墅": "villa",
    "新里": "lane",
    "洋房": "house",
    "老洋房": "house",
    "花园洋房": "house",
    "公房": "public",
    "老公房": "public",
    "广场": "square",
    "名邸": "mansion",
    "豪庭": "mansion",
    "华庭": "mansion",
    "会馆": "mansion",
    "宿舍": "mansion",
}
KIND_ENDINGS = tuple(sorted(FAMILIES, key=len, reverse=True))

# Last characters of a phrase that looks like the name of a community.
NAME_ENDINGS = "村弄号苑园寓厦楼里坊墅庭邸阁城院舍区期座轩居府宅湾馆堂"

# First characters of what may turn a name into the name of another place:
# "星河湾" + "三期", "星河花苑" + "北区".
EXTENSIONS = frozenset(
    "东南西北中上下前后左右内外新老大小一二三四五六七八九十甲乙丙丁期区座块弄号支路街"
    "0123456789abcdefghijklmnopqrstuvwxyz"
)

# What a person who means a community never means by these words alone.
_COMMON_WORDS = (
    "机场", "车站", "火车", "高铁", "地铁", "公交", "汽车", "医院", "医学", "学校", "大学",
    "中学", "小学", "学院", "师大", "体育", "艺术", "文化", "教育", "科技", "科学", "石油",
    "橡胶", "钢铁", "电力", "邮电", "铁路", "航道", "航天", "航空", "卫星", "仪表", "电影",
    "电视", "青年", "老年", "儿童", "儿科", "首长", "院士", "工人", "人民", "市民", "自由",
    "前进", "胜利", "光明", "幸福", "和平", "友谊", "团结", "生活", "阳光", "东方", "中华",
    "中山", "江南", "江北", "东亚", "名人", "实业", "商场", "超市", "公园", "广场", "银行",
    "酒店", "宾馆", "菜场", "市场", "工厂", "公司", "中心", "法国", "中国", "北京", "湖南",
    "云南", "浦东", "静安", "黄浦", "长宁", "闵行", "虹桥", "淮海", "体检", "核酸", "疫苗",
    "口罩", "健康", "安全", "环境", "空气", "天气", "人工", "新增", "发烧", "咳嗽", "意思",
    "管理", "电话", "预约", "退订", "投诉", "政策", "规定", "物业", "快递", "外卖", "隔离",
    "复工", "上班", "上学", "开学", "回家", "公交车", "地铁站", "火车站", "南站", "居委会电话",
    "哈哈", "呵呵", "黄码", "红码", "绿码", "变蓝", "变绿", "行程", "行程码", "上海南站",
)  # fmt: skip
COMMON_WORDS = frozenset(_COMMON_WORDS)

# Characters of ordinary sentences that hardly occur in a name. A phrase that
# holds one and is not built like a name is taken for talk, not for a name.
TALK = frozenset(
    "戴坐买怎哪吗办变算要还开能会谁想很把被让给得着过吃喝玩打跑做干说听讲这那它他她们呢啊呀吧哈嘿"
)

# Phrases that belong to the question, wherever they stand. They divide a
# sentence, so none may occur inside a name. Compared with unfolded text.
CUES = (
    "风险等级", "风险程度", "风险地区", "风险区", "风险", "疫情", "颜色", "什么样", "什么",
    "是啥", "啥", "红色", "黄色", "蓝色", "绿色", "灰色", "橙色", "变红", "变黄", "安全", "危险",
    "现在", "目前", "今天", "今日", "昨天", "昨日", "明天", "当前", "最近", "最新", "近期",
    "怎么样", "怎么", "怎样", "如何", "是不是", "有没有", "能不能", "会不会", "可不可以",
    "要不要", "严不严重", "严重", "封了", "封控", "封没", "封闭", "封楼", "被封", "解封", "确诊",
    "阳性", "病例", "感染", "密接", "情况", "状况", "等级", "级别", "评分", "分数", "得分",
    "多少", "几分", "告诉我", "告诉", "请问", "想问", "想知道", "想了解", "想查", "知道",
    "查一下", "查一查", "查查", "查询", "查下", "查看", "问一下", "问问", "问下", "看一下",
    "看看", "看下", "搜一下", "搜索", "搜", "麻烦", "谢谢", "多谢", "感谢", "劳驾", "你好",
    "您好", "早上好", "下午好", "晚上好", "帮我", "帮忙", "有无", "属于", "算不算", "听说",
    "据说", "我妈妈", "我妈", "我爸爸", "我爸", "她那", "他那", "她们", "他们", "可以", "能进",
    "能去", "出入", "订阅", "关注", "取消", "通知", "附近", "周边", "旁边", "隔壁", "对面",
    "那边", "这边", "那里", "这里", "这个", "那个", "还有", "或者", "以及", "我住在", "我住",
    "我家在", "我家", "我们家", "我们", "我在", "咱们", "咱家", "住在", "住址", "地址", "位于",
    "所在的", "为什么", "需要", "口罩", "核酸", "健康码", "出门", "小区里面", "发我", "发一下",
    "客服", "我的小区", "我小区", "本小区", "该小区", "天气", "今晚", "消息", "结果", "数据",
    "刚才", "刚刚", "到底", "究竟", "应该",
)  # fmt: skip

# Words that are trimmed from either end of what is left between the cues.
# Compared with unfolded text; repeated until nothing more goes.
LEADING = (
    "请", "问", "查", "看", "我", "你", "您", "俺", "咱", "的", "是", "在", "住", "到", "去",
    "了", "吗", "呢", "啊", "呀", "哦", "噢", "喂", "嗨", "哎", "嗯", "那么", "那", "这", "帮",
    "下", "一下", "给", "从", "关于", "对于", "搬到", "搬去", "来自", "叫", "叫做", "就是",
    "家住", "家在", "一个", "有个", "某个", "妈妈", "爸爸", "爷爷", "奶奶", "朋友", "亲戚",
    "同事",
)  # fmt: skip
TRAILING = (
    "中高", "低", "是中", "是高", "是低", "算中", "属中", "的", "是", "在", "有", "吗", "嘛",
    "么", "呢", "啊", "呀", "吧", "哦", "啦", "了", "没有", "没", "不", "会", "能", "要", "高",
    "高不高", "好", "好不好", "阳", "里面", "算", "还", "被", "也", "都", "请", "查", "一下",
    "看", "那", "这", "我", "你", "多", "和", "与", "跟", "几", "几个", "封", "去", "进", "住",
    "行", "行不行", "红", "黄", "蓝", "绿", "属", "又",
)  # fmt: skip

# A registered name found inside a sentence stands alone when what comes before
# it ends in one of these ...
BEFORE = (
    *CUES, *LEADING, *DISTRICT,
    "请", "问", "查", "看", "我", "你", "您", "的", "是", "在", "住", "到",
    "去", "了", "吗", "呢", "啊", "呀", "哦", "叫", "那", "和", "与", "跟", "或", "及", "从",
    "离", "回", "往", "向", "来", "给", "搜", "啥", "找", "说", "算", "做", "区", "市", "街道",
    "镇", "一下", "小区", "社区", "居委", "妈妈", "爸爸", "朋友", "亲戚", "同事", "这个", "那个",
    "关于", "家住", "家在",
)  # fmt: skip
# (These do so even before a name that also exists with the district in front.)
FIRMLY_BEFORE = (
    *CUES,
    *(word for word in LEADING if len(word) > 1),
    "街道",
    "镇",
    "在",
    "查",
)
# ... and what comes after it begins with one of these.
AFTER = (
    *CUES, "的", "是", "有", "在", "吗", "嘛", "么", "呢", "啊", "呀", "吧", "哦", "啦", "了",
    "没", "不", "会", "能", "要", "高不高", "高吗", "高风", "中风", "低风", "中高风", "红", "黄",
    "蓝", "绿", "安", "危", "怎", "封", "解", "属", "算", "好", "还", "被", "和", "与", "跟",
    "或", "及", "到", "离", "也", "都", "请", "查", "问", "谢", "多少", "几", "哪", "里面",
    "里的", "阳", "出", "今", "昨", "明天", "昨晚", "如", "这", "那", "我", "你", "您", "呐",
    "哈", "嗯", "噢", "喔", "去", "进", "住的", "为",
)  # fmt: skip

# Characters of place names with more than one reading in use. (The many
# readings of a dictionary would make different names sound alike.)
READINGS: dict[str, tuple[str, ...]] = {
    "乐": ("le", "yue"),
    "单": ("dan", "shan"),
    "厦": ("sha", "xia"),
    "吕": ("lv", "lu"),
    "圩": ("wei", "xu"),
    "宿": ("su", "xiu"),
    "弄": ("nong", "long"),
    "曾": ("zeng", "ceng"),
    "朝": ("chao", "zhao"),
    "柏": ("bai", "bo"),
    "番": ("fan", "pan"),
    "绿": ("lv", "lu"),
    "莘": ("xin", "shen"),
    "藏": ("zang", "cang"),
    "行": ("xing", "hang"),
    "调": ("diao", "tiao"),
    "都": ("du", "dou"),
    "重": ("chong", "zhong"),
    "钥": ("yue", "yao"),
    "长": ("chang", "zhang"),
}

# Phrases of the question in pinyin. Single syllables are left out: shi is 是,
# and just as well the middle of 田林十二村.
SPELLED_CUES = (
    "qing wen", "xiang wen", "cha xun", "cha yi xia", "cha cha", "wo zhu zai", "zhu zai",
    "wo jia zai", "wo jia", "ni hao", "nin hao", "xie xie", "shen me yan se", "shen me", "yan se",
    "feng xian deng ji", "feng xian", "gao feng xian", "deng ji", "xian zai", "jin tian",
    "mu qian", "zen me yang", "zen me", "zen yang", "an quan ma", "an quan", "shi bu shi",
    "you mei you", "yi qing", "duo shao", "feng le ma", "feng kong", "qing kuang", "wei xian",
    "kou zhao",
)  # fmt: skip
_SPELLED_TOGETHER = tuple(cue.replace(" ", "") for cue in SPELLED_CUES)
SPELLED_BEFORE = (*_SPELLED_TOGETHER, "xuhuiqu", "shanghaishi", "jiedao")
SPELLED_AFTER = (
    *_SPELLED_TOGETHER,
    "xiaoqu",
    "shishenme",
    "shisha",
    "youyiqing",
    "anquanma",
    "deyanse",
    "defengxian",
)
