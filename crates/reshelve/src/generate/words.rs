//! The vocabulary of the prose. The order is part of the frozen output: do not reorder.

#[rustfmt::skip]
pub(super) const NOUNS: [&str; 64] = [
    "lantern", "harbor", "mirror", "ledger", "window", "bridge", "letter", "violin", "garden",
    "winter", "station", "shadow", "river", "candle", "orchard", "machine", "question", "promise",
    "stranger", "corridor", "mountain", "telescope", "captain", "village", "curtain", "archive",
    "compass", "secret", "cathedral", "drawer", "storm", "kitchen", "signal", "memory", "carriage",
    "silence", "island", "coat", "fortune", "detective", "horizon", "bread", "soldier", "key",
    "ceiling", "tower", "forest", "wire", "morning", "gull", "answer", "widow", "platform", "rope",
    "desert", "debt", "child", "engine", "stair", "crow", "weather", "knife", "road", "sister",
];

#[rustfmt::skip]
pub(super) const ADJECTIVES: [&str; 64] = [
    "quiet", "broken", "amber", "hollow", "crowded", "patient", "scarlet", "ordinary", "bitter",
    "gentle", "frozen", "borrowed", "distant", "familiar", "reckless", "silver", "tired", "wooden",
    "strange", "honest", "narrow", "humid", "polite", "ruined", "tender", "impossible", "crooked",
    "hungry", "pale", "careful", "bright", "guilty", "fierce", "heavy", "thin", "old", "secret",
    "empty", "faded", "restless", "copper", "sullen", "velvet", "distracted", "weathered",
    "unfinished", "stubborn", "luminous", "brittle", "forgotten", "southern", "lonely", "damp",
    "sudden", "careless", "generous", "half-lit", "salt-stained", "well-kept", "unnamed", "small",
    "wide", "second", "last",
];

#[rustfmt::skip]
pub(super) const VERBS: [&str; 64] = [
    "watched", "found", "carried", "opened", "remembered", "dropped", "followed", "mended",
    "forgot", "crossed", "lost", "held", "feared", "borrowed", "counted", "refused", "heard",
    "folded", "wrote", "closed", "left", "sold", "paid", "trusted", "doubted", "weighed", "tasted",
    "climbed", "promised", "answered", "burned", "read", "stole", "woke", "returned", "waited for",
    "walked past", "spoke of", "turned", "owed", "loved", "hid", "described", "measured", "broke",
    "gathered", "ignored", "recognised", "searched", "painted", "buried", "invented", "blamed",
    "noticed", "imagined", "guarded", "missed", "released", "questioned", "mistook", "sketched",
    "shut", "lifted", "kept",
];

#[rustfmt::skip]
pub(super) const ADVERBS: [&str; 32] = [
    "quietly", "again", "carefully", "almost", "never", "twice", "slowly", "together", "alone",
    "upstairs", "outside", "below", "suddenly", "afterwards", "meanwhile", "somewhere", "honestly",
    "badly", "gently", "always", "nearly", "before dawn", "at last", "without a word",
    "by mistake", "for years", "in the dark", "all the same", "out of habit", "in French",
    "once more", "too late",
];

#[rustfmt::skip]
pub(super) const NAMES: [&str; 32] = [
    "Mara", "Elena", "Jonas", "Ursula", "Pavel", "Odette", "Chiara", "Daniel", "Greta", "Håkon",
    "Zoë", "Renée", "Lucía", "Tomás", "Björn", "Søren", "Inês", "Katarína", "Fáelán", "Marianne",
    "Amélie", "Nils", "Anna", "Ann", "O’Brien", "van der Berg", "美咲", "陈明", "Иван", "Σοφία",
    "D'Arcy", "Nguyễn",
];

#[rustfmt::skip]
pub(super) const PLACES: [&str; 16] = [
    "the Archive", "the Harbor", "Old Mill", "Kraków", "São Bento", "Tromsø", "Platform 9",
    "Café Noir", "St. Mary’s", "the Salt Road", "北京", "Łódź", "the Orchard", "Reykjavík",
    "New Carthage", "Court 4½",
];

#[rustfmt::skip]
pub(super) const FOREIGN: [&str; 16] = [
    "café", "façade", "jalapeño", "smörgåsbord", "éclair", "über", "東京の夜", "你好", "Ω", "№ 7", "½",
    "ﬁn", "🕯️", "👩‍🚀", "🌊", "naïveté",
];

#[rustfmt::skip]
pub(super) const GENRES: [&str; 8] = [
    "FANTASY", "ROMANCE", "MYSTERY_THRILLER", "SCIENCE_FICTION", "HISTORICAL_FICTION",
    "YOUNG_ADULT", "CHILDREN'S", "HORROR",
];

#[rustfmt::skip]
pub(super) const SUBGENRES: [&str; 8] = [
    "EPIC_FANTASY", "SLOW_BURN", "COZY_MYSTERY", "SPACE_OPERA", "GOTHIC", "NOIR",
    "READERS'_CHOICE", "COMING_OF_AGE",
];
