package hrimport

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/correlation"
)

const sampleMapping = `
source: hr
correlation: ID
identity: [First, Last]
attributes:
  enterprise.employeeNumber: {column: ID, required: true}
  userName: {template: "{First}.{Last}@example.com", lower: true, ascii: true, required: true}
  name.givenName: {column: First}
  name.familyName: {column: Last, required: true}
  active: {column: State, values: {in: "true", out: "false"}}
  title: {column: Title, default: Member}
  addresses.work.locality: {column: City}
  addresses.work.country: {constant: DE}
`

func parse(t testing.TB, text string) *Mapping {
	t.Helper()
	m, err := Parse([]byte(text))
	if err != nil {
		t.Fatalf("mapping: %v", err)
	}
	return m
}

func rows(t testing.TB, m *Mapping, r io.Reader) ([]Row, Summary) {
	t.Helper()
	var out []Row
	sum, err := m.Read(r, func(row Row) error {
		out = append(out, row)
		return nil
	})
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	return out, sum
}

// told is what a row came to, in short.
func told(row Row) string {
	switch {
	case len(row.Problems) > 0:
		parts := make([]string, len(row.Problems))
		for i, p := range row.Problems {
			parts[i] = fmt.Sprintf("%d %s: %s", p.Line, p.Column, p.Reason)
		}
		return strings.Join(parts, "; ")
	case row.Event == nil:
		return "note: " + row.Note
	}
	return "event"
}

func TestARowBecomesAnEvent(t *testing.T) {
	t.Parallel()
	got, sum := rows(t, parse(t, sampleMapping), strings.NewReader("\xef\xbb\xbfID,First,Last,State,Title,City,Ignored\n 7 ,Zoë,\"Del, Mar\",out,,\"Lü\nbeck\",x\n"))
	if sum != (Summary{Rows: 1, Events: 1}) || told(got[0]) != "event" || got[0].Line != 2 || got[0].Subject != "rollcall.directory.hr.person" {
		t.Fatalf("%+v, %+v", sum, got)
	}
	e, err := events.DecodeEvent(got[0].Subject, got[0].Data)
	if err != nil {
		t.Fatal(err)
	}
	p := e.Person
	if p.UserName != "zoe.del, mar@example.com" || *p.Active || p.Title != "Member" || p.Name.GivenName != "Zoë" || p.Enterprise.EmployeeNumber != "7" {
		t.Errorf("person = %+v", p)
	}
	if len(p.Addresses) != 1 || p.Addresses[0].Locality != "Lü\nbeck" || p.Addresses[0].Country != "DE" || p.Addresses[0].Type != "work" {
		t.Errorf("addresses = %+v", p.Addresses)
	}
	if e.Lane != events.LaneBackfill || e.Source != "urn:rollcall:source:hr" || e.ID != got[0].Event.ID || len(e.ID) != 40 {
		t.Errorf("event = %+v", e)
	}
}

func TestTheSameFileIsTheSameEvents(t *testing.T) {
	t.Parallel()
	m := parse(t, sampleMapping)
	file := "ID,First,Last,State,Title,City\n1,A,B,in,,\n2,C,D,in,,\n"
	one, _ := rows(t, m, strings.NewReader(file))
	// A reader that cannot seek is read twice as well.
	two, _ := rows(t, m, io.MultiReader(strings.NewReader(file)))
	changed, _ := rows(t, m, strings.NewReader(strings.Replace(file, "1,A,B,in", "1,A,B,out", 1)))
	if one[0].Event.ID != two[0].Event.ID || one[1].Event.ID != two[1].Event.ID || one[0].Event.ID == one[1].Event.ID {
		t.Errorf("ids %s %s, then %s %s", one[0].Event.ID, one[1].Event.ID, two[0].Event.ID, two[1].Event.ID)
	}
	if one[0].Event.ID == changed[0].Event.ID {
		t.Error("a changed row is the same event")
	}
}

func TestRowsThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	const header = "ID,First,Last,State,Title,City\n"
	tests := map[string]struct {
		file string
		want []string
	}{
		"empty required":        {"1,A,,in,,\n", []string{"2 Last: is empty, but name.familyName is required; 2 First, Last: is empty, but userName is required"}},
		"no key":                {",A,B,in,,\n", []string{"2 ID: is empty: it names the person; 2 ID: is empty, but enterprise.employeeNumber is required"}},
		"no translation":        {"1,A,B,maybe,,\n", []string{"2 State: the value has no translation for active (the mapping knows in, out)"}},
		"too few":               {"1,A,B\n2,C,D,in,,\n", []string{"2 : has 3 columns, the row of column names has 6", "event"}},
		"too many":              {"1,A,B,in,,,,\n", []string{"2 : has 8 columns, the row of column names has 6"}},
		"not UTF-8":             {"1,A,B,in,,\n2,C,\"M\xe9\",in,,\n3,E,F,in,,\n", []string{"event", `3 Last: byte 2 of the value is not UTF-8: save the file as UTF-8 (in a spreadsheet: "CSV UTF-8")`, "event"}},
		"bare quote":            {"1,A\"B,C,in,,\n2,C,D,in,,\n", []string{"2 : line 2, byte 4: a quote stands in a value that does not begin with one", "event"}},
		"open quote":            {"1,A,B,in,,\n2,\"C,D,in,,\n", []string{"event", "3 : line 3, byte 13: a quote is not closed, or text follows a closing quote"}},
		"quote open over lines": {"1,\"A,B,in,,\n2,C,D,in,,\n3,E,F,in,,\n", []string{"2 : lines 2 to 4 were read as one row; line 4, byte 12: a quote is not closed, or text follows a closing quote"}},
		"two people": {"1,A,B,in,,\n2,C,D,in,,\n1,X,Y,in,,\n1,A,B,in,,\n", []string{
			"2 ID: names different people in this file: see line 4, 5", "event",
			"4 ID: names different people in this file: see line 2, 5", "5 ID: names different people in this file: see line 2, 4"}},
		"one person, two truths": {"1,A,B,in,X,\n1,A,B,in,Y,\n", []string{
			"2 ID: names one person with different values: see line 3", "3 ID: names one person with different values: see line 2"}},
		"repeat":            {"1,A,B,in,X,\n\n1,A,B,in,X,\n", []string{"event", "note: repeats line 2"}},
		"a faulty twin":     {"1,A,B,in,,\n1,A,,in,,\n", []string{"2 ID: names different people in this file: see line 3", "3 ID: names different people in this file: see line 2; 3 Last: is empty, but name.familyName is required; 3 First, Last: is empty, but userName is required"}},
		"header and no row": {"", nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, sum := rows(t, parse(t, sampleMapping), strings.NewReader(header+test.file))
			if len(got) != len(test.want) || sum.Rows != len(got) || sum.Rows != sum.Events+sum.Unusable+sum.Repeated+sum.Superseded {
				t.Fatalf("%+v from %d rows, want %d", sum, len(got), len(test.want))
			}
			for i, row := range got {
				if told(row) != test.want[i] {
					t.Errorf("row %d: %s\nwant %s", i+1, told(row), test.want[i])
				}
			}
		})
	}
}

func TestTheNewerVersionCounts(t *testing.T) {
	t.Parallel()
	m := parse(t, strings.Replace(sampleMapping, "source: hr", "source: hr\nsourceVersion: V", 1))
	got, sum := rows(t, m, strings.NewReader(`ID,First,Last,State,Title,City,V
1,A,B,in,New,,2
1,A,B,in,Old,,1
2,C,D,in,X,,1
2,C,D,in,Y,,1
3,E,F,in,X,,yesterday
`))
	want := []string{"event", "note: line 2 is a newer version",
		"4 ID: names one person with different values: see line 5", "5 ID: names one person with different values: see line 4",
		"6 V: event at /sourceversion: must be a whole number or an RFC 3339 time"}
	for i, row := range got {
		if told(row) != want[i] {
			t.Errorf("row %d: %s\nwant %s", i+1, told(row), want[i])
		}
	}
	if sum != (Summary{Rows: 5, Events: 1, Unusable: 3, Superseded: 1}) || got[0].Event.SourceVersion != "2" {
		t.Errorf("%+v", sum)
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ file, want string }{
		"empty":            {"", "the file is empty"},
		"UTF-16":           {"\xff\xfeI\x00D\x00", "the file is in UTF-16: save the file as UTF-8"},
		"header not UTF-8": {"ID,Vorname,Stra\xdfe\n", "the row of column names is not UTF-8"},
		"missing":          {"ID;First;Last\n1;A;B\n", `column "City" is missing`},
		"all missing":      {"ID;First;Last\n1;A;B\n", `column "Title" is missing`},
		"twice":            {"ID,First,Last,State,Title,City,First\n", `column "First" stands twice, as column 2 and 7`},
		"endless quote":    {"ID,First,Last,State,Title,City\n1,\"" + strings.Repeat("x\n", maxRowBytes), "is a quote not closed?"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := parse(t, sampleMapping).Read(strings.NewReader(test.file), func(Row) error { return nil })
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error = %v, want %q", err, test.want)
			}
		})
	}
}

func TestAnErrorOfTheCallerEndsTheReading(t *testing.T) {
	t.Parallel()
	stop := errors.New("stop")
	_, err := parse(t, sampleMapping).Read(strings.NewReader("ID,First,Last,State,Title,City\n1,A,B,in,,\n"), func(Row) error { return stop })
	if !errors.Is(err, stop) {
		t.Errorf("error = %v", err)
	}
}

func TestEveryFaultOfAMappingIsListed(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text string
		want []string
	}{
		"empty":        {"", []string{"is empty"}},
		"not YAML":     {"a: [", []string{"line 1"}},
		"unknown keys": {"source: hr\ncolour: red\nattributes: {title: {colum: X}}", []string{"line 2: key colour is not a key of a column mapping", "line 3: key colum is not"}},
		"everything": {`
source: HR!
delimiter: ";;"
lane: leaver
attributes:
  titel: {column: X}
  title: {column: X, constant: Y}
  emails: {column: X}
  emails.: {column: X}
  addresses.work: {column: X}
  userName: {template: "{First"}
  displayName: {template: "First}"}
`, []string{"source: name", "delimiter: must be one character", "lane: must be change or backfill", "correlation: is required",
			"attributes.titel: is not an attribute", "attributes.title: needs exactly one of", "attributes.emails: is not an attribute",
			"attributes.emails.: needs a type", "attributes.addresses.work: needs a type and a part", "attributes.userName: template: a column is written",
			"attributes.displayName: template: a closing brace"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse([]byte(test.text))
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("lacks %q:\n%v", want, err)
				}
			}
		})
	}
}

func TestReadLines(t *testing.T) {
	t.Parallel()
	good, err := events.EncodeEvent(&events.Event{SpecVersion: "1.0", ID: "1", Source: "s", Type: events.TypePersonUpserted, Person: &events.Person{UserName: "a"}})
	if err != nil {
		t.Fatal(err)
	}
	group, err := events.EncodeEvent(&events.Event{SpecVersion: "1.0", ID: "2", Source: "s", Type: events.TypeGroupRemoved, Group: &events.Group{ID: "g"}})
	if err != nil {
		t.Fatal(err)
	}
	file := string(good) + "\n\n{\n" + strings.Repeat("x", events.MaxEventBytes+10) + "\r\n" + string(group)
	var got []Row
	sum, err := ReadLines(strings.NewReader(file), "hr", nil, func(r Row) error {
		got = append(got, r)
		return nil
	})
	if err != nil || sum != (Summary{Rows: 4, Events: 2, Unusable: 2}) {
		t.Fatalf("%+v, %v", sum, err)
	}
	if got[0].Subject != "rollcall.directory.hr.person" || string(got[0].Data) != string(good) || got[3].Subject != "rollcall.directory.hr.group" || got[3].Line != 5 {
		t.Errorf("rows = %+v", got)
	}
	if !strings.Contains(told(got[1]), "3 : event: is not valid JSON") || !strings.Contains(told(got[2]), "4 : is longer than an event may be") {
		t.Errorf("%s\n%s", told(got[1]), told(got[2]))
	}
	if _, err := ReadLines(strings.NewReader(""), "No!", nil, nil); err == nil {
		t.Error("a source that cannot stand in a subject was taken")
	}
}

func declared(t testing.TB, form config.CorrelationID) *correlation.IDs {
	t.Helper()
	ids, err := correlation.New("hr", config.Source{Correlate: "enterprise.employeeNumber", CorrelationID: form})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

// Ids are judged, and compared with one another, as the configuration has them.
func TestIDsAreReadAsTheConfigurationSays(t *testing.T) {
	t.Parallel()
	const head = "ID,First,Last,State,Title,City\n"
	pad := config.CorrelationID{PadZeros: 5, Pattern: "[0-9]{5}"}
	for name, c := range map[string]struct {
		ids  *correlation.IDs
		file string
		want []string
	}{
		"not known":     {nil, "4.56E+11,A,B,in,,\n", []string{"event"}},
		"nothing said":  {declared(t, config.CorrelationID{}), "1,A,B,in,,\n4.56E+11,C,D,in,,\n", []string{"event", "3 ID: is in scientific notation"}},
		"does not fit":  {declared(t, pad), "1,A,B,in,,\nE1,C,D,in,,\n", []string{"event", "3 ID: does not look like one, which is [0-9]{5}"}},
		"two ways":      {declared(t, pad), "1,A,B,in,,\n00001,A,B,in,,\n", []string{"2 ID: names one person with different values: see line 3", "3 ID: names one person with different values: see line 2"}},
		"two people":    {declared(t, pad), "1,A,B,in,,\n00001,C,D,in,,\n", []string{"2 ID: names different people in this file: see line 3", "3 ID: names different people in this file: see line 2"}},
		"two not known": {nil, "1,A,B,in,,\n00001,A,B,in,,\n", []string{"event", "event"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, _ := rows(t, parse(t, sampleMapping).Under(c.ids), strings.NewReader(head+c.file))
			for i, row := range got {
				if say := told(row); !strings.HasPrefix(say, c.want[i]) && (c.want[i] != "event" || row.Event == nil) {
					t.Errorf("row %d: %s, want %s", i, say, c.want[i])
				}
			}
		})
	}
}

// An attribute that the mapping fills from another column, or not at all, is
// judged in the event.
func TestARowWithoutTheConfiguredAttributeIsAProblem(t *testing.T) {
	t.Parallel()
	ids, err := correlation.New("hr", config.Source{Correlate: "externalId"})
	if err != nil {
		t.Fatal(err)
	}
	got, _ := rows(t, parse(t, sampleMapping).Under(ids), strings.NewReader("ID,First,Last,State,Title,City\n1,A,B,in,,\n"))
	if say := told(got[0]); !strings.Contains(say, "lacks the attribute that names the person") {
		t.Error(say)
	}
}

func TestIDsOfLinesAreReadAsTheConfigurationSays(t *testing.T) {
	t.Parallel()
	encode := func(id string) string {
		data, err := events.EncodeEvent(&events.Event{SpecVersion: "1.0", ID: id, Source: "s", Type: events.TypePersonUpserted,
			Person: &events.Person{Enterprise: &events.Enterprise{EmployeeNumber: id}}})
		if err != nil {
			t.Fatal(err)
		}
		return string(data) + "\n"
	}
	var got []Row
	sum, err := ReadLines(strings.NewReader(encode("1")+encode("4.56E+11")), "hr", declared(t, config.CorrelationID{}), func(r Row) error {
		got = append(got, r)
		return nil
	})
	if err != nil || sum.Events != 1 || sum.Unusable != 1 || !strings.Contains(told(got[1]), "2 : event at /data: has a correlation id (enterprise.employeeNumber) that is in scientific notation") {
		t.Fatalf("%+v, %v, %s", sum, err, told(got[1]))
	}
}

func TestTheDemoExport(t *testing.T) {
	t.Parallel()
	m, err := Load("../demo/workers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open("../demo/workers.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	got, sum := rows(t, m, f)
	if sum != (Summary{Rows: 202, Events: 196, Unusable: 4, Repeated: 1, Superseded: 1}) {
		t.Errorf("%+v", sum)
	}
	for _, row := range got {
		if len(row.Problems) > 0 {
			t.Log(told(row))
		}
	}
}

// TestRealExport counts what is usable in an export nobody here wrote by other
// means, and compares.
func TestRealExport(t *testing.T) {
	t.Parallel()
	const path = "../../../../shared/data/hr/workers-1000.csv"
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("the export is not here")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	all, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	lines := map[string][]int{}
	for i, cells := range all[1:] {
		lines[cells[0]] = append(lines[cells[0]], i+2)
	}
	usable := map[int]bool{}
	for _, at := range lines {
		if len(at) == 1 {
			usable[at[0]] = true
		}
	}
	m, err := Load("../../../examples/hr-workers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	got, sum := rows(t, m, f)
	if sum.Rows != len(all)-1 || sum.Events != len(usable) || sum.Unusable != sum.Rows-len(usable) {
		t.Errorf("%+v, want %d usable of %d", sum, len(usable), len(all)-1)
	}
	published := map[int]bool{}
	for _, row := range got {
		if row.Event != nil {
			published[row.Line] = true
			if is := all[row.Line-1][1] == "Active"; *row.Event.Person.Active != is {
				t.Errorf("line %d: active = %v", row.Line, !is)
			}
			continue
		}
		key := all[row.Line-1][0]
		for _, p := range row.Problems {
			if p.Line != row.Line || p.Column != "WorkerID" || !strings.Contains(p.Reason, "different people") {
				t.Errorf("line %d: %+v", row.Line, p)
			}
			for _, other := range lines[key] {
				if other != row.Line && !strings.Contains(p.Reason, fmt.Sprint(other)) {
					t.Errorf("line %d does not name line %d", row.Line, other)
				}
			}
		}
	}
	if !slices.Equal(slices.Sorted(maps.Keys(published)), slices.Sorted(maps.Keys(usable))) {
		t.Error("other lines were published than are usable")
	}
}

func BenchmarkRead(b *testing.B) {
	m, err := Load("../demo/workers.yaml")
	if err != nil {
		b.Fatal(err)
	}
	data, err := os.ReadFile("../demo/workers.csv")
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	for b.Loop() {
		if _, err := m.Read(strings.NewReader(string(data)), func(Row) error { n++; return nil }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
}
