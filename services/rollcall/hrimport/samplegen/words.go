package main

// unit is a department and what people are called there.
type unit struct {
	department, division, costCenter string
	titles                           []string
}

func units() []unit {
	return []unit{
		{"Sales", "Field", "C100", []string{"Account Executive", "Sales Representative", "Sales Manager"}},
		{"Support", "Service", "C200", []string{"Support Agent", "Support Engineer", "Support Lead"}},
		{"Sales", "Inside", "C110", []string{"Sales Representative", "Sales Assistant"}},
		{"Marketing", "Brand", "C300", []string{"Campaign Manager", "Analyst"}},
		{"Engineering", "Product", "C400", []string{"Engineer", "Designer"}},
	}
}

// place is where people work.
type place struct{ city, country, language, locale, timeZone string }

func places() []place {
	return []place{
		{"Berlin", "DE", "de", "de-DE", "Europe/Berlin"},
		{"Lyon", "FR", "fr", "fr-FR", "Europe/Paris"},
		{"Leeds", "GB", "en", "en-GB", "Europe/London"},
		{"Denver", "US", "en", "en-US", "America/Denver"},
	}
}

func givens() []string {
	return []string{"Amber", "Azure", "Coral", "Crimson", "Ebony", "Écru", "Hazel", "Indigo", "Ivory", "Jade", "Lilac", "Maroon",
		"Ochre", "Olive", "Pearl", "Rosé", "Russet", "Saffron", "Scarlet", "Teal"}
}

func families() []string {
	return []string{"Alder", "Aspen", "Beech", "Birch", "Bramble", "Cedar", "Clover", "Elder", "Fern", "Ginkgo", "Hawthorn", "Juniper",
		"Larch", "Linden", "Måne", "Mulberry", "Nettle", "Rowan", "Sørrel", "Teasel", "Willow"}
}
