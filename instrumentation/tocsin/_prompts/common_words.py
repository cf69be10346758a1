# ruff: noqa: RUF001 - other scripts than Latin
"""Frequent words of each language: by them a text's language is guessed, and how many of its words are out of the ordinary.

Written down for this purpose, the most telling first. They are versioned with `features`: a change moves a measured share,
so it is a change of what the number means.
"""

from typing import Final

COMMON: Final = {
    "en": """
the of and to in is you that it he was for on are as with his they be at one have this from or had by not but what all were
we when your can said there use an each which she do how their if will up other about out many then them these so some her
would make like him into time has look two more write go see number no way could people my than first been call who its now
find long down day did get come made may part over new sound take only little work know place years live me back give most very
after things our just name good sentence man think say great where help through much before line right too means old any same
tell boy follow came want show also around form three small set put end does another well large must big even such because turn
here why ask went men read need land different home us move try kind hand picture again change off play spell air away animal
house point page letter mother answer found study still learn should world high every near add food between own below country
plant last school father keep never start city earth eye light thought head under story saw left few while along might close
something seem next hard open example begin life always those both paper together got group often run important until children
side feet car mile night walk white sea began grow took river four carry state once book hear stop without second late miss idea
enough eat face watch far really almost let above girl sometimes mountain cut young talk soon list song being leave family
am i is it's don't i'm can't please thanks thank hello hi dear regards sorry yes okay order orders account money pay paid payment
card invoice bill charged charge price cost refund email phone message send sent received receive problem issue error failed fail
working works worked broken fix login password user customer service support team ticket question request response product
delivery delivered address date today yesterday tomorrow week month year days hours minutes update updated cancel cancelled
subscription website app page screen button click file files document data report text write summary summarize translate explain
code function return value using used check sure able unable however since been wrong again still already later following
possible available contact information details company business office computer printer network internet connection system
version install download access open closed new old first last best better less more many most several during against
whether although though therefore because until unless else perhaps maybe actually probably quite rather
""",
    "de": """
der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er hat dass sie nach
wird bei einer um am sind noch wie einem über einen so zum war haben nur oder aber vor zur bis mehr durch man sein wurde sei
ich mir mich mein meine meinen meiner wir uns unser ihr ihre ihren ihnen du dir dich dein kann können konnte muss müssen soll
sollte will wollen möchte würde hätte habe hatte bin bist gibt geht kein keine keinen wenn weil ob doch schon sehr was wer wo
warum wann dann da hier jetzt heute gestern morgen immer wieder alle alles viel viele jahr jahre tag tage woche monat zeit
bitte danke hallo guten gruß grüße rechnung bestellung konto geld bezahlt zahlung karte preis kosten problem fehler frage
antwort hilfe kunde kundin nummer adresse lieferung paket passwort anmelden funktioniert nicht mehr leider seit zweimal
gegen unter ohne zwischen während damit diese dieser dieses diesen welche neue neuen ersten letzten gut besser drucker
""",
    "fr": """
de la le et les des en un du une que est pour qui dans a par plus pas au sur ne se le ce il sont mais ou avec son cette aux
être fait comme tout nous sa elle deux ont ces ses si leur y était même aussi dont je me mon ma mes moi tu te ton ta vous votre
vos notre nos leurs on lui ils elles j'ai c'est n'est d'un d'une qu'il l'a suis avez avons peut peux pouvez puis dois doit
faut faire bien très trop peu sans sous entre vers chez depuis avant après encore toujours jamais déjà ici là où quand comment
pourquoi combien quel quelle rien tous toute toutes autre autres jour jours semaine mois année an ans temps fois bonjour merci
cordialement facture commande compte argent payé paiement carte prix coût problème erreur question réponse aide client numéro
adresse livraison colis mot passe fonctionne marche plus deux fois hier aujourd'hui demain nouveau nouvelle imprimante
""",
    "es": """
de la que el en y a los se del las un por con no una su para es al lo como más o pero sus le ha me si sin sobre este ya entre
cuando todo esta ser son dos también fue había era muy años hasta desde está mi porque qué sólo han yo hay vez puede todos así
nos ni parte tiene él uno donde bien tiempo mismo ese ahora cada e vida otro después te otros aunque esa eso hace otra gobierno
tan durante siempre día tanto ella tres sí dijo sido gran país según menos mundo año antes estado quiero puedo necesito tengo
estoy he hemos usted ustedes nosotros mis tu tus cómo cuándo dónde cuál quién nada algo alguien hola gracias saludos factura
pedido cuenta dinero pagado pago tarjeta precio costo problema error pregunta respuesta ayuda cliente número dirección entrega
paquete contraseña funciona ayer hoy mañana semana mes nuevo nueva impresora veces favor
""",
    "pt": """
de a o que e do da em um para é com não uma os no se na por mais as dos como mas foi ao ele das tem à seu sua ou ser quando
muito há nos já está eu também só pelo pela até isso ela entre era depois sem mesmo aos ter seus quem nas me esse eles estão
você tinha foram essa num nem suas meu às minha têm numa pelos elas havia seja qual será nós tenho lhe deles essas esses pelas
este dele tu te vocês vos lhes meus minhas teu tua nosso nossa dela estas estes aquele isto aquilo estou estamos posso pode
preciso quero fazer porque onde como quanto hoje ontem amanhã agora sempre nunca ainda olá obrigado obrigada fatura pedido conta
dinheiro pago pagamento cartão preço custo problema erro pergunta resposta ajuda cliente número endereço entrega pacote senha
funciona semana mês ano dia vezes duas novo nova impressora não favor
""",
    "it": """
di e il la che in a per un è del non con i le una si da al come più dei lo gli nel alla sono ma anche su delle della ha o dal
se ci questo ed mi ho nella essere dopo stato sul loro tra fra anni quando molto due solo suo sua chi poi prima già senza fino
io tu lui lei noi voi mio mia miei tuo tua vostro nostro cosa perché dove come quanto quale ogni tutto tutti tutta tutte altro
altri ancora sempre mai ora oggi ieri domani adesso qui così bene male posso può devo deve vorrei voglio fare fatto abbiamo hai
hanno era c'è non è l'ho ciao buongiorno grazie saluti fattura ordine conto soldi pagato pagamento carta prezzo costo problema
errore domanda risposta aiuto cliente numero indirizzo consegna pacco password funziona settimana mese anno giorno volte nuovo
nuova stampante quello questa questi
""",
    "nl": """
de het een van en in is dat op te zijn met voor niet aan er om ook als die maar dan zij ze hij bij nog uit naar door over je
ik mijn mij me wij we ons onze u uw jullie hun haar heb heeft hebben had was waren wordt worden werd kan kunnen kon moet moeten
zal zou zullen wil willen doen gaan gaat geen wel al meer veel zo dit deze wat wie waar waarom wanneer hoe hier daar nu toch
omdat want of tot onder tussen tegen zonder sinds na voor altijd nooit weer alle alles iets niets jaar dag dagen week maand tijd
keer twee eerste laatste nieuwe goed hallo bedankt dank groeten factuur bestelling rekening geld betaald betaling kaart prijs
kosten probleem fout vraag antwoord hulp klant nummer adres levering pakket wachtwoord werkt gisteren vandaag morgen graag
printer alstublieft
""",
    "sv": """
och i att det som en på är av för med till den har de inte om ett han men var jag sig från vi så kan när man år under också
efter eller nu sin där vid mot ska skulle kommer ut får finns vara hade alla andra mycket än här då sedan över bara in blir upp
vad vilken varför hur min mitt mina dig mig er vår vårt du ni hon deras ingen inget några någon något måste vill ville gör göra
gjorde går blev blivit ha igen alltid aldrig redan dag dagar vecka månad tid två första sista ny nya bra hej tack hälsningar
faktura beställning konto pengar betalat betalning kort pris kostnad problem fel fråga svar hjälp kund nummer adress leverans
paket lösenord fungerar längre igår idag imorgon gånger skrivare
""",
    "da": """
og i at det er en på til af den for med ikke der som de har et om han jeg men var sig fra vi så kan når man år under også efter
eller nu sin hvor ved mod skal skulle kommer ud får være havde alle andre meget end her da over kun ind bliver op hvad hvilken
hvorfor hvordan min mit mine dig mig jer vores du i hun deres ingen intet nogle nogen noget må vil ville gør gøre gjorde går
blev blevet igen altid aldrig allerede dag dage uge måned tid to første sidste ny nye god hej tak hilsen faktura ordre bestilling
konto penge betalt betaling kort pris problem fejl spørgsmål svar hjælp kunde nummer adresse levering pakke adgangskode virker
længere i går i dag gange printeren
""",
    "no": """
og i det er på som en til å av for at med ikke den har de et om han jeg men var seg fra vi så kan når man år under også etter
eller nå sin der ved mot skal skulle kommer ut får være hadde alle andre mye enn her da over bare inn blir opp hva hvilken
hvorfor hvordan min mitt mine deg meg dere vår vårt du hun deres ingen noe noen må vil ville gjør gjøre gjorde går ble blitt
igjen alltid aldri allerede dag dager uke måned tid to første siste ny nye bra hei takk hilsen faktura bestilling konto penger
betalt betaling kort pris problem feil spørsmål svar hjelp kunde nummer adresse levering pakke passord fungerer virker lenger
i går i dag ganger skriveren
""",
    "fi": """
ja on ei se että oli en hän mutta ovat kun niin tai myös minä sinä me te he sen sitä tämä tätä tässä joka jotka jos ole olen olet
olemme minun sinun hänen meidän teidän heidän mitä mikä missä miksi milloin miten kuinka kuka vain vielä jo nyt sitten kanssa
mukaan jälkeen ennen ilman kuin kaikki kaikkia paljon hyvin hyvä uusi vanha ensimmäinen viimeinen kaksi yksi päivä viikko
kuukausi vuosi aika kertaa olisi voi voin voitte voiko pitää täytyy haluan haluaisin saa saada tehdä ollut olla hei kiitos
terveisin lasku tilaus tili raha maksu maksettu kortti hinta ongelma virhe kysymys vastaus apu asiakas numero osoite toimitus
paketti salasana toimi enää eilen tänään huomenna koska tulostin
""",
    "pl": """
i w nie na się z do to że jest o jak ale po za co od są już ich tak przez był dla tym czy lub być tego jego jej ja ty on ona my
wy oni mnie mi mój moja moje twój nasz was nas mam masz ma mamy macie mają może mogę można muszę musi chcę chciałbym proszę
dziękuję dzień dobry witam pozdrawiam gdzie kiedy dlaczego ile który która które kto bardzo tylko jeszcze też również bez pod
nad przed między według gdy jeśli żeby ponieważ zawsze nigdy teraz dzisiaj dziś wczoraj jutro tydzień miesiąc rok dni czas razy
dwa nowy nowa pierwszy ostatni faktura zamówienie konto pieniądze zapłacone płatność karta cena koszt problem błąd pytanie
odpowiedź pomoc klient numer adres dostawa paczka hasło działa wszystko nic drukarka
""",
    "cs": """
a v se na je že to s z do o i ve ale za by jsem jako po pro tak jsou podle který která které co jeho její nebo když už být bylo
byl byla má mám máte mít může mohu můžete musí musím chci chtěl bych prosím děkuji dobrý den ahoj zdravím kde kdy proč kolik kdo
jak velmi jen ještě také bez pod nad před mezi pokud aby protože vždy nikdy teď nyní dnes včera zítra týden měsíc rok dny čas
krát dva dvakrát nový nová první poslední faktura objednávka účet peníze zaplaceno platba karta cena problém chyba otázka odpověď
pomoc zákazník číslo adresa doručení balík heslo funguje nefunguje všechno nic můj moje náš vás nás mi mě není jsme ze k u od
tiskárna si
""",
    "tr": """
ve bir bu da de için ile çok ne o ben sen biz siz onlar daha gibi kadar ama en her olarak olan var yok değil mi mı mu şu ki ya
veya hem sonra önce şimdi bugün dün yarın hafta ay yıl gün zaman kez iki ilk son yeni eski iyi benim bana beni senin sana bizim
bize sizin size onun ona onu nasıl neden niçin nerede hangi kim kaç lütfen teşekkürler teşekkür merhaba selamlar fatura sipariş
hesap hesabım para ödeme ödedim kart fiyat sorun hata soru cevap yardım müşteri numara adres teslimat paket şifre çalışmıyor
oldu olur olmak etmek etti yapmak istiyorum gerekiyor artık hâlâ hiç bütün tüm her şey üzerinde tarafından yazıcı
""",
    "ro": """
și de în a la cu pe că nu din este o un mai pentru ce care să fi sunt au dar sau ca al ale lui ei eu tu el ea noi voi ele mă
mi meu mea mei mele tău ta nostru vă vostru am ai are avem aveți a fost era pot poate trebuie vreau doresc vă rog mulțumesc bună
ziua salut unde când cum cât cine foarte doar încă deja fără sub între după înainte dacă pentru că întotdeauna niciodată acum
astăzi azi ieri mâine săptămână lună an zile timp ori două de două nou nouă primul ultimul factura factură comandă cont bani
plătit plată card preț problemă eroare întrebare răspuns ajutor client număr adresă livrare colet parolă funcționează toate nimic
imprimanta acest această prin
""",
    "hu": """
a az és hogy nem is egy van de ez meg csak már volt mint ha el kell én te ő mi ti ők még vagy mert azt ezt aki ami amely minden
nagyon lesz lehet lenne sem között után előtt nélkül alatt szerint mindig soha most ma tegnap holnap hét hónap év nap idő kétszer
két első utolsó új régi jó engem nekem enyém az én hol mikor miért hogyan mennyi kérem kérek köszönöm szeretnék szeretném üdvözlettel
helló szia jó napot számla rendelés számlám pénz fizetés fizettem kártya ár költség probléma hiba kérdés válasz segítség ügyfél
szám cím szállítás csomag jelszó működik nem működik több kevés volna vagyok vannak tudom tud tudok nyomtató
""",
    "id": """
yang dan di itu dengan untuk tidak ini dari dalam akan pada juga saya ke karena tersebut bisa ada mereka lebih kami kita anda dia
telah atau oleh sudah saat bahwa harus sebagai adalah dapat para agar belum masih hanya lagi jika kalau ketika sebelum setelah
tanpa antara sangat semua apa siapa mana kapan mengapa kenapa bagaimana berapa tolong mohon terima kasih halo selamat pagi siang
hari minggu bulan tahun kali dua baru lama pertama terakhir kemarin besok sekarang tagihan pesanan akun uang bayar membayar
pembayaran kartu harga biaya masalah kesalahan pertanyaan jawaban bantuan pelanggan nomor alamat pengiriman paket kata sandi
berfungsi mau ingin perlu nya printer
""",
    "vi": """
và của là có không được trong cho một các người với này đã những tôi đến khi để từ về cũng như ra vào nhưng sẽ còn nhiều phải
rất hơn chỉ bạn chúng ta anh em chị ông bà họ đó đây nào gì ai sao đâu tại vì nếu thì mà hay hoặc bị làm đang lại sau trước
ngày tuần tháng năm lần hai mới cũ hôm nay qua mai xin vui lòng cảm ơn chào hóa đơn đơn hàng tài khoản tiền thanh toán thẻ giá
vấn đề lỗi câu hỏi trả lời giúp đỡ khách hàng số địa chỉ giao gói mật khẩu hoạt động muốn cần máy in
""",
    "ru": """
и в не на я что он с как это по но к у же вы за бы мне было вот от меня о из ему теперь когда даже ну ли если уже или ни быть
был него до вас вам ты мы они она оно мой моя моё мои наш ваш его её их так там тут здесь где почему зачем сколько кто какой
который которая которые очень только ещё еще тоже также без под над перед между после потом всегда никогда сейчас сегодня вчера
завтра неделя месяц год дней время раз два дважды новый новая первый последний хочу могу может можно нужно надо должен
пожалуйста спасибо здравствуйте привет счёт счет заказ деньги оплата оплатил карта цена проблема ошибка вопрос ответ помощь
клиент номер адрес доставка пароль работает всё все ничего для эта этот эти при мы принтер
""",
    "uk": """
і в не на я що він з як це по але до у та ви за би мені було від мене про із йому тепер коли навіть чи якщо вже або ні бути був
вас вам ти ми вони вона воно мій моя моє мої наш ваш його її їх так там тут де чому навіщо скільки хто який яка які дуже тільки
ще теж також без під над перед між після потім завжди ніколи зараз сьогодні вчора завтра тиждень місяць рік днів час раз два
двічі новий нова перший останній хочу можу може можна треба потрібно повинен будь ласка дякую вітаю привіт рахунок замовлення
гроші оплата оплатив картка ціна проблема помилка питання відповідь допомога клієнт номер адреса доставка пароль працює все
нічого для ця цей ці при є й принтер
""",
    "bg": """
на и да се за от не съм са това той ще но по как е в с към ми ти му ѝ си сме сте тази този тези който която което които аз тя ние
вие те моля благодаря здравейте защо кога къде колко какво как много само още също без под над пред между след преди винаги никога
сега днес вчера утре седмица месец година ден пъти два нов нова поръчка сметка пари плащане карта цена проблем грешка въпрос отговор
помощ клиент номер адрес доставка парола работи всичко нищо бе беше има няма може трябва искам имам при или ако
""",
}
