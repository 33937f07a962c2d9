package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"
)

const (
	clean     = 192
	firstID   = 1001
	changed   = "2026-01-15T08:00:00Z"
	changedBy = "2026-02-01T08:00:00Z"
)

// person is one row. Fields are columns, in order.
type person struct {
	number, status, given, family, login, email, title, employment, department, division, costCenter, manager string
	phone, city, country, language, locale, timeZone, changed                                                 string
}

func header() []string {
	return []string{"EmployeeNumber", "Status", "GivenName", "FamilyName", "Login", "Email", "JobTitle", "Employment", "Department",
		"Division", "CostCenter", "Manager", "Phone", "City", "Country", "Language", "Locale", "TimeZone", "Changed"}
}

func (p person) row() []string {
	return []string{p.number, p.status, p.given, p.family, p.login, p.email, p.title, p.employment, p.department,
		p.division, p.costCenter, p.manager, p.phone, p.city, p.country, p.language, p.locale, p.timeZone, p.changed}
}

// export is the whole file.
func export() ([]byte, error) {
	var buf bytes.Buffer
	w := csv.NewWriter(&buf)
	if err := w.Write(header()); err != nil {
		return nil, fmt.Errorf("write column names: %w", err)
	}
	for _, p := range append(people(), dirt()...) {
		if err := w.Write(p.row()); err != nil {
			return nil, fmt.Errorf("write row: %w", err)
		}
	}
	w.Flush()
	return buf.Bytes(), w.Error()
}

// people are the rows without a fault. Their names are colours and plants, so
// that nobody is meant.
func people() []person {
	out := make([]person, clean)
	for i := range out {
		out[i] = sample(i)
	}
	for _, i := range []int{17, 58, 101, 160} {
		out[i].status = "left"
	}
	for _, i := range []int{33, 77, 140} {
		out[i].status = "on leave"
	}
	return out
}

// sample is a made-up person. The telephone numbers are from the block that the
// German regulator keeps free for fiction.
func sample(i int) person {
	given, family := givens()[i%len(givens())], families()[(i/len(givens())+i*3)%len(families())]
	unit, place := units()[i%len(units())], places()[(i/3)%len(places())]
	number := fmt.Sprintf("D%d", firstID+i)
	p := person{
		number: number, status: "active", given: given, family: family,
		login: fmt.Sprintf("%s.%s.%d", given, family, firstID+i),
		title: unit.titles[i%len(unit.titles)], employment: "Employee",
		department: unit.department, division: unit.division, costCenter: unit.costCenter,
		phone: fmt.Sprintf("+49 30 23125 %03d", i), city: place.city, country: place.country,
		language: place.language, locale: place.locale, timeZone: place.timeZone, changed: changed,
	}
	p.email = "sample+" + strings.ToLower(number) + "@example.com"
	if i%9 == 4 {
		p.employment = "Contractor"
	}
	if i >= 12 {
		p.manager = fmt.Sprintf("D%d", firstID+i%12)
	}
	return p
}

// dirt are rows such as every export has some of: each shows what Rollcall says
// about it.
func dirt() []person {
	twoPeople, twin := sample(clean), sample(clean)
	twin.given, twin.family = "Ochre", "Teasel"

	nameless := sample(clean + 1)
	nameless.family = ""

	longDepartment := sample(clean + 2)
	longDepartment.department = "Department of Departments, Sub-Departments, Inter-Departmental Affairs and Everything Else Besides"

	homeless := sample(clean + 3)
	homeless.email = ""

	unknown := sample(clean + 4)
	unknown.status = "sabbatical?"

	older, newer := sample(clean+5), sample(clean+5)
	newer.title, newer.changed = "Senior "+newer.title, changedBy

	orphan := sample(clean + 6)
	orphan.manager = "D999999"

	repeat := sample(3)
	return []person{twoPeople, twin, nameless, longDepartment, homeless, unknown, older, newer, orphan, repeat}
}
