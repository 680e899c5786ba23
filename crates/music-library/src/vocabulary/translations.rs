//! German, French, Spanish and Italian mood words, by the English word whose meaning they have.
//!
//! Words are written without regard to accents: a look-up compares them without. A word that has another meaning in one of the
//! languages, English included, is left out.

/// An English word of the vocabulary, and its translations, separated by spaces.
pub(super) const TRANSLATIONS: &[(&str, &str)] = &[
    (
        "angry",
        "wütend wut zornig zorn verärgert ärgerlich fâché fâchée colère furieux furieuse enojado enojada enfadado \
      enfadada enojo ira rabia furioso furiosa arrabbiato arrabbiata rabbia",
    ),
    ("disgust", "ekel angeekelt dégoût dégoûté dégoûtée asco asqueado asqueada disgustato disgustata"),
    (
        "fear",
        "furcht furchtsam ängstlich gruselig peur apeuré apeurée effrayé effrayée effrayant effrayante miedo asustado \
      asustada temeroso temerosa aterrador aterradora paura pauroso paurosa spaventato spaventata spaventoso spaventosa \
      timoroso timorosa",
    ),
    (
        "happy",
        "glücklich fröhlich froh freudig freude freudvoll heureux heureuse joyeux joyeuse joie bonheur feliz alegre \
      alegría felicidad felice gioioso gioiosa gioia allegro allegra allegria felicità",
    ),
    ("sad", "traurig trauer trauernd traurigkeit triste tristesse tristeza tristezza"),
    (
        "surprise",
        "überrascht überraschend überraschung surpris surprenant surprenante sorprendido sorprendida sorprendente \
      sorpresa sorpreso",
    ),
    ("neutral", "neutre neutro neutra neutrale"),
    ("aggressive", "aggressiv agressif agressive agresivo agresiva aggressivo aggressiva"),
    ("amusing", "lustig witzig amusant amusante drôle divertido divertida divertente spassig"),
    (
        "anxious",
        "angst besorgt angoissé angoissée angoissant angoissante anxieux anxieuse ansioso ansiosa angustiado angustiada",
    ),
    ("bright", "leuchtend lumineux lumineuse luminoso luminosa"),
    (
        "calm",
        "ruhig gelassen calme tranquille tranquilo tranquila calmado calmada calmo calma tranquillo tranquilla",
    ),
    ("contemplative", "besinnlich contemplatif contemplativo contemplativa"),
    ("content", "zufrieden satisfait satisfaite contento contenta"),
    ("danceable", "tanzbar dansant dansante bailable ballabile"),
    ("dark", "dunkel düster finster obscur obscure oscuro oscura cupo cupa sombrío sombría"),
    ("desperate", "verzweifelt désespéré désespérée desesperado desesperada disperato disperata"),
    ("dramatic", "dramatisch dramatique dramático dramática drammatico drammatica"),
    ("dreamy", "verträumt träumerisch rêveur rêveuse soñador soñadora sognante"),
    ("energetic", "energisch energiegeladen energetisch schwungvoll énergique dynamique enérgico enérgica"),
    ("epic", "episch épique épico épica"),
    ("excited", "aufgeregt begeistert excité excitée entusiasta emocionado emocionada eccitato eccitata"),
    ("celebratory", "festlich festif festive festivo festiva festoso festosa"),
    ("gentle", "sanft zärtlich zart doux douce suave dolce dulce"),
    ("gloomy", "trübsinnig lugubre"),
    (
        "hopeful",
        "hoffnungsvoll zuversichtlich esperanzador esperanzadora esperanzado esperanzada speranzoso speranzosa",
    ),
    ("intense", "intensiv intenso intensa"),
    ("intimate", "innig intime íntimo íntima"),
    ("lively", "lebhaft heiter munter entraînant entraînante vivace animado animada"),
    ("lonely", "einsam solitaire solitario solitaria"),
    ("longing", "sehnsüchtig sehnsucht sehnsuchtsvoll añoranza struggente"),
    ("love", "liebe liebevoll amour amor amore"),
    ("majestic", "majestätisch majestueux majestueuse majestuoso majestuosa maestoso maestosa"),
    ("meditative", "meditativ méditatif meditativo meditativa"),
    (
        "melancholic",
        "melancholisch melancholie wehmütig wehmut mélancolique mélancolie melancólico melancólica melancolía \
      malinconico malinconica malinconia",
    ),
    ("menacing", "bedrohlich menaçant menaçante amenazante amenazador amenazadora minaccioso minacciosa"),
    ("mysterious", "geheimnisvoll mysteriös mystérieux mystérieuse misterioso misteriosa"),
    ("nervous", "nervös nerveux nerveuse nervioso nerviosa nervoso nervosa"),
    ("nostalgic", "nostalgisch nostalgique nostálgico nostálgica"),
    ("optimistic", "optimistisch optimiste optimista ottimista ottimistico ottimistica"),
    ("passionate", "leidenschaftlich passionné passionnée apasionado apasionada appassionato appassionata"),
    ("peaceful", "friedlich friedvoll paisible pacífico pacífica"),
    ("pensive", "nachdenklich pensif pensieroso pensierosa pensativo pensativa"),
    ("playful", "verspielt ludique juguetón juguetona giocoso giocosa"),
    ("powerful", "kraftvoll mächtig puissant puissante potente poderoso poderosa"),
    ("quiet", "leise silencieux silencieuse silencioso silenciosa silenzioso silenziosa"),
    ("relaxed", "entspannt détendu détendue relajado relajada rilassato rilassata"),
    ("relaxing", "entspannend beruhigend relaxant relaxante relajante rilassante"),
    ("restless", "unruhig rastlos agité agitée inquieto inquieta agitado agitada agitato agitata"),
    ("romantic", "romantisch romantique romántico romántica"),
    ("serene", "serein sereine sereno serena"),
    ("slow", "langsam lente lento lenta"),
    ("solemn", "feierlich solennel solennelle solenne"),
    ("soothing", "tröstlich wohltuend apaisant apaisante calmante"),
    ("spooky", "unheimlich schaurig inquiétant inquiétante"),
    ("suspenseful", "spannend spannungsvoll"),
    ("tender", "tendre tierno tierna tenero tenera"),
    ("tense", "angespannt gespannt tendu tendue tenso tensa teso tesa"),
    ("threatening", "drohend"),
    ("tragic", "tragisch tragique trágico trágica"),
    ("triumphant", "triumphierend triomphant triomphante triunfante triunfal trionfante trionfale"),
    ("uplifting", "mitreissend aufbauend exaltant exaltante"),
    ("fast", "schnell rapide rápido rápida veloce"),
    ("warm", "warmherzig chaleureux chaleureuse cálido cálida caldo calda"),
];
