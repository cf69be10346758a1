# ruff: noqa: RUF001 - other letters than Latin ones
"""Sentences by language, none of them about what support teams are written to about: the word lists were made for those."""

SENTENCES = {
    "en": [
        "The bridge was closed because the river had risen during the night.",
        "My grandmother taught us to bake bread when we were children.",
        "Nobody expected the train to arrive before noon.",
        "A cold wind came down from the mountains.",
    ],
    "de": [
        "Die Brücke war gesperrt, weil der Fluss in der Nacht gestiegen war.",
        "Meine Großmutter hat uns als Kindern das Brotbacken beigebracht.",
        "Niemand erwartete den Zug vor dem Mittag.",
        "Ein kalter Wind kam von den Bergen herab.",
    ],
    "fr": [
        "Le pont était fermé parce que la rivière avait monté pendant la nuit.",
        "Ma grand-mère nous a appris à faire du pain quand nous étions enfants.",
        "Personne n'attendait le train avant midi.",
        "Un vent froid descendait des montagnes.",
    ],
    "es": [
        "El puente estaba cerrado porque el río había crecido durante la noche.",
        "Mi abuela nos enseñó a hacer pan cuando éramos niños.",
        "Nadie esperaba que el tren llegara antes del mediodía.",
        "Un viento frío bajaba de las montañas.",
    ],
    "pt": [
        "A ponte estava fechada porque o rio tinha subido durante a noite.",
        "A minha avó ensinou-nos a fazer pão quando éramos crianças.",
        "Ninguém esperava que o comboio chegasse antes do meio-dia.",
        "Um vento frio descia das montanhas.",
    ],
    "it": [
        "Il ponte era chiuso perché il fiume era salito durante la notte.",
        "Mia nonna ci ha insegnato a fare il pane quando eravamo bambini.",
        "Nessuno si aspettava che il treno arrivasse prima di mezzogiorno.",
        "Un vento freddo scendeva dalle montagne.",
    ],
    "nl": [
        "De brug was gesloten omdat de rivier in de nacht gestegen was.",
        "Mijn oma leerde ons brood bakken toen we kinderen waren.",
        "Niemand verwachtte dat de trein voor de middag zou aankomen.",
        "Een koude wind kwam van de bergen naar beneden.",
    ],
    "sv": [
        "Bron var stängd eftersom floden hade stigit under natten.",
        "Min mormor lärde oss att baka bröd när vi var barn.",
        "Ingen väntade sig att tåget skulle komma före lunch.",
        "En kall vind kom ner från bergen.",
    ],
    "da": [
        "Broen var lukket, fordi floden var steget i løbet af natten.",
        "Min mormor lærte os at bage brød, da vi var børn.",
        "Ingen ventede, at toget ville komme før middag.",
        "En kold vind kom ned fra bjergene.",
    ],
    "no": [
        "Broen var stengt fordi elven hadde steget i løpet av natten.",
        "Bestemoren min lærte oss å bake brød da vi var barn.",
        "Ingen ventet at toget skulle komme før middag.",
        "En kald vind kom ned fra fjellene.",
    ],
    "fi": [
        "Silta oli suljettu, koska joki oli noussut yön aikana.",
        "Isoäitini opetti meitä leipomaan, kun olimme lapsia.",
        "Kukaan ei odottanut, että juna tulisi ennen puoltapäivää.",
        "Kylmä tuuli tuli alas vuorilta.",
    ],
    "pl": [
        "Most był zamknięty, ponieważ w nocy podniosła się rzeka.",
        "Babcia nauczyła nas piec chleb, gdy byliśmy dziećmi.",
        "Nikt się nie spodziewał, że pociąg przyjedzie przed południem.",
        "Zimny wiatr schodził z gór.",
    ],
    "cs": [
        "Most byl zavřený, protože řeka v noci stoupla.",
        "Babička nás naučila péct chleba, když jsme byli děti.",
        "Nikdo nečekal, že vlak přijede před polednem.",
        "Studený vítr přicházel z hor.",
    ],
    "tr": [
        "Nehir gece yükseldiği için köprü kapalıydı.",
        "Büyükannem bize çocukken ekmek yapmayı öğretti.",
        "Hiç kimse trenin öğleden önce gelmesini beklemiyordu.",
        "Dağlardan soğuk bir rüzgâr geliyordu.",
    ],
    "ro": [
        "Podul era închis pentru că râul crescuse în timpul nopții.",
        "Bunica ne-a învățat să facem pâine când eram copii.",
        "Nimeni nu se aștepta ca trenul să sosească înainte de amiază.",
        "Un vânt rece cobora din munți.",
    ],
    "hu": [
        "A híd zárva volt, mert a folyó éjszaka megáradt.",
        "A nagymamám tanított meg minket kenyeret sütni, amikor gyerekek voltunk.",
        "Senki sem várta, hogy a vonat dél előtt megérkezik.",
        "Hideg szél jött le a hegyekről.",
    ],
    "id": [
        "Jembatan itu ditutup karena sungai naik pada malam hari.",
        "Nenek mengajari kami membuat roti ketika kami masih kecil.",
        "Tidak ada yang menduga kereta akan tiba sebelum siang.",
        "Angin dingin datang dari pegunungan.",
    ],
    "vi": [
        "Cây cầu bị đóng vì nước sông dâng cao trong đêm.",
        "Bà tôi đã dạy chúng tôi làm bánh mì khi còn nhỏ.",
        "Không ai nghĩ rằng tàu sẽ đến trước buổi trưa.",
        "Một cơn gió lạnh thổi xuống từ núi.",
    ],
    "ru": [
        "Мост был закрыт, потому что ночью поднялась река.",
        "Бабушка научила нас печь хлеб, когда мы были детьми.",
        "Никто не ожидал, что поезд придёт до полудня.",
        "С гор спускался холодный ветер.",
    ],
    "uk": [
        "Міст був закритий, тому що вночі піднялася річка.",
        "Бабуся навчила нас пекти хліб, коли ми були дітьми.",
        "Ніхто не очікував, що потяг прийде до полудня.",
        "З гір спускався холодний вітер.",
    ],
    "bg": [
        "Мостът беше затворен, защото реката се беше покачила през нощта.",
        "Баба ми ни научи да печем хляб, когато бяхме деца.",
        "Никой не очакваше влакът да дойде преди обяд.",
        "От планината идваше студен вятър.",
    ],
    "el": ["Η γέφυρα ήταν κλειστή τη νύχτα.", "Κανείς δεν περίμενε το τρένο."],
    "ja": ["夜のうちに川が増水したので、橋は閉まっていた。", "祖母がパンの焼き方を教えてくれた。"],
    "zh": ["因为夜里河水上涨，桥关闭了。", "没有人想到火车会在中午之前到达。"],
    "ko": ["밤사이에 강물이 불어서 다리가 닫혔다.", "할머니가 빵 굽는 법을 가르쳐 주셨다."],
    "ar": ["كان الجسر مغلقا لأن النهر ارتفع في الليل.", "لم يتوقع أحد وصول القطار قبل الظهر."],
    "fa": ["پل بسته بود چون رودخانه در شب بالا آمده بود.", "هیچ‌کس گمان نمی‌کرد که قطار پیش از ظهر برسد."],
    "he": ["הגשר היה סגור כי הנהר עלה בלילה.", "סבתא לימדה אותנו לאפות לחם."],
    "hi": ["रात में नदी बढ़ गई थी इसलिए पुल बंद था।", "दादी ने हमें रोटी बनाना सिखाया।"],
    "th": ["สะพานปิดเพราะแม่น้ำสูงขึ้นในตอนกลางคืน", "ยายสอนให้เราทำขนมปัง"],
}

# None of ours: names, numbers, data, and languages that are not among them. A guess here is wrong.
NOBODYS = [
    "4711-0815 / 2026-03-02",
    "Anna Maria Rossi",
    "xkcd qwfp zxcv",
    "!!! ???",
    "Brúin var lokuð því áin hafði vaxið um nóttina.",
    "Zubia itxita zegoen ibaia hazi zelako gauean.",
    "Мост је био затворен јер је река порасла током ноћи.",
    "Көпір жабық болды, өйткені түнде өзен көтерілді.",
]
