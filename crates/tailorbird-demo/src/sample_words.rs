//! Words of the sample data.

pub(crate) const ADJECTIVES: &[&str] = &[
    "Classic", "Compact", "Foldable", "Nordic", "Stackable", "Weatherproof", "Quiet", "Lightweight", "Double-walled",
    "Hand-finished", "Rechargeable", "Extra-wide", "Slim", "Heavy-duty", "Travel", "Non-slip",
];

pub(crate) const MATERIALS: &[&str] = &[
    "Oak", "Steel", "Copper", "Bamboo", "Linen", "Enamel", "Glass", "Cork", "Walnut", "Ceramic", "Aluminium", "Felt",
];

pub(crate) const GOODS: &[(&str, &str)] = &[
    ("Kettle", "Kitchen"), ("Chopping Board", "Kitchen"), ("Espresso Pot", "Kitchen"), ("Bread Bin", "Kitchen"),
    ("Saucepan", "Kitchen"), ("Knife Block", "Kitchen"), ("Desk Lamp", "Office"), ("Monitor Stand", "Office"),
    ("Letter Tray", "Office"), ("Pen Holder", "Office"), ("Footrest", "Office"), ("Wall Clock", "Living"),
    ("Side Table", "Living"), ("Picture Frame", "Living"), ("Candle Holder", "Living"), ("Throw Blanket", "Living"),
    ("Plant Pot", "Garden"), ("Watering Can", "Garden"), ("Garden Lantern", "Garden"), ("Bird Feeder", "Garden"),
    ("Tool Box", "Workshop"), ("Workbench Vice", "Workshop"), ("Storage Crate", "Workshop"), ("Spirit Level", "Workshop"),
];

pub(crate) const FIRST_NAMES: &[&str] = &[
    "Amelia", "Jonas", "Priya", "Mateo", "Freya", "Oskar", "Leila", "Tomasz", "Ines", "Callum", "Noor", "Henrik",
    "Chiara", "Dawit", "Sophie", "Ravi", "Klara", "Emeka", "Maren", "Luc", "Yasmin", "Piotr", "Elsa", "Hugo",
];

pub(crate) const LAST_NAMES: &[&str] = &[
    "Bennett", "Keller", "Okafor", "Lindqvist", "Moreau", "Patel", "Novak", "Rossi", "Hughes", "Weber", "Silva",
    "Janssen", "Kowalski", "Fischer", "Murphy", "Andersen", "Costa", "Haddad", "Berger", "Walsh", "Ferrari", "Nowak",
];

pub(crate) const CITIES: &[(&str, &str)] = &[
    ("Poole", "GB"), ("Leeds", "GB"), ("Bristol", "GB"), ("Glasgow", "GB"), ("Hamburg", "DE"), ("Leipzig", "DE"),
    ("Köln", "DE"), ("Lyon", "FR"), ("Nantes", "FR"), ("Gent", "BE"), ("Utrecht", "NL"), ("Malmö", "SE"),
    ("Aarhus", "DK"), ("Bergen", "NO"), ("Porto", "PT"), ("Bilbao", "ES"), ("Torino", "IT"), ("Graz", "AT"),
    ("Zürich", "CH"), ("Gdańsk", "PL"),
];
