package emulator

import (
	"strconv"
	"strings"
)

// maxSOQLDepth bounds nesting of parentheses and NOTs.
const maxSOQLDepth = 200

// maxSOQLLength is Salesforce's own bound. [U]
const maxSOQLLength = 100_000

type soqlParser struct {
	text   string
	tokens []soqlToken
	inner  bool // in a query inside another
	at     int
	depth  int
}

// parseSOQL reads SELECT ... FROM ... [WHERE] [ORDER BY] [LIMIT] [OFFSET].
func parseSOQL(text string) (*soqlQuery, error) {
	if len(text) > maxSOQLLength {
		return nil, &soqlError{"SOQL statements cannot be longer than 100000 characters."}
	}
	tokens, err := lexSOQL(text)
	if err != nil {
		return nil, err
	}
	p := &soqlParser{text: text, tokens: tokens}
	q, err := p.query()
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind != soqlEnd {
		return nil, unexpectedToken(t)
	}
	return q, nil
}

func (p *soqlParser) query() (*soqlQuery, error) {
	q := &soqlQuery{text: p.text, limit: -1}
	for _, step := range [...]func(*soqlQuery) error{p.selects, p.source, p.filter, p.grouping, p.ordering, p.paging} {
		if err := step(q); err != nil {
			return nil, err
		}
	}
	return q, nil
}

// subquery reads a query in parentheses, the first of which is taken. One
// inside another is as deep as it goes here.
func (p *soqlParser) subquery() (*soqlQuery, error) {
	if p.inner {
		return nil, unexpectedToken(p.peek())
	}
	p.inner = true
	defer func() { p.inner = false }()
	q, err := p.query()
	if err != nil {
		return nil, err
	}
	return q, p.must(")")
}

func (p *soqlParser) grouping(q *soqlQuery) error {
	if !p.skip("group", "by") {
		return nil
	}
	for {
		path, err := p.name()
		if err != nil {
			return err
		}
		q.group = append(q.group, path)
		if !p.skip(",") {
			return nil
		}
	}
}

func (p *soqlParser) peek() soqlToken { return p.tokens[p.at] }

func (p *soqlParser) take() soqlToken {
	t := p.tokens[p.at]
	if t.kind != soqlEnd {
		p.at++
	}
	return t
}

// skip takes the words when all of them come next.
func (p *soqlParser) skip(words ...string) bool {
	for i, w := range words {
		if p.at+i >= len(p.tokens) || !p.tokens[p.at+i].is(w) {
			return false
		}
	}
	p.at += len(words)
	return true
}

func (p *soqlParser) must(word string) error {
	if !p.skip(word) {
		return unexpectedToken(p.peek())
	}
	return nil
}

// reserved words cannot be names of fields or objects.
func reserved(word string) bool {
	switch strings.ToLower(word) {
	case "select", "from", "where", "and", "or", "not", "like", "in", "limit", "offset", "null", "true", "false":
		return true
	}
	return false
}

// name takes a field path or object name.
func (p *soqlParser) name() (soqlToken, error) {
	t := p.peek()
	if t.kind != soqlName || reserved(t.text) || strings.ContainsRune(t.text, ':') ||
		strings.Contains(t.text, "..") || strings.HasPrefix(t.text, ".") || strings.HasSuffix(t.text, ".") {
		return t, unexpectedToken(t)
	}
	return p.take(), nil
}

func (p *soqlParser) selects(q *soqlQuery) error {
	if err := p.must("select"); err != nil {
		return err
	}
	if p.skip("count", "(", ")") {
		q.count = true
		return nil
	}
	for {
		item, err := p.item()
		if err != nil {
			return err
		}
		q.items = append(q.items, item)
		if !p.skip(",") {
			return nil
		}
	}
}

func (p *soqlParser) item() (soqlItem, error) {
	if p.skip("(") {
		child, err := p.subquery()
		return soqlItem{child: child}, err
	}
	path, err := p.name()
	if err != nil {
		return soqlItem{}, err
	}
	item := soqlItem{path: path}
	if p.skip("(") {
		item.function = strings.ToLower(path.text)
		if item.function != "count" && item.function != "fields" {
			return item, unexpectedToken(path)
		}
		if item.path, err = p.name(); err != nil {
			return item, err
		}
		if err := p.must(")"); err != nil {
			return item, err
		}
	}
	if next := p.peek(); next.kind == soqlName && !next.is("from") && item.function != "" {
		item.alias = p.take().text
	}
	return item, nil
}

func (p *soqlParser) source(q *soqlQuery) error {
	if err := p.must("from"); err != nil {
		return err
	}
	from, err := p.name()
	if err != nil {
		return err
	}
	q.from = from
	p.skip("as")
	if t := p.peek(); t.kind == soqlName && !reserved(t.text) && !t.is("order") && !t.is("using") && !t.is("group") {
		q.alias = p.take().text
	}
	return nil
}

func (p *soqlParser) filter(q *soqlQuery) error {
	if !p.skip("where") {
		return nil
	}
	var err error
	q.where, err = p.condition()
	return err
}

// condition reads terms joined by AND or by OR. Mixing the two without
// parentheses is an error in SOQL. [U]
func (p *soqlParser) condition() (soqlExpr, error) {
	first, err := p.term()
	if err != nil {
		return nil, err
	}
	word := "and"
	if p.peek().is("or") {
		word = "or"
	}
	parts := []soqlExpr{first}
	for p.skip(word) {
		next, err := p.term()
		if err != nil {
			return nil, err
		}
		parts = append(parts, next)
	}
	if t := p.peek(); t.is("and") || t.is("or") {
		return nil, unexpectedToken(t)
	}
	switch {
	case len(parts) == 1:
		return first, nil
	case word == "or":
		return &soqlOr{parts}, nil
	}
	return &soqlAnd{parts}, nil
}

func (p *soqlParser) term() (soqlExpr, error) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxSOQLDepth {
		return nil, &soqlError{"condition is nested too deeply"}
	}
	if p.skip("not") {
		part, err := p.term()
		return &soqlNot{part}, err
	}
	if p.skip("(") {
		inner, err := p.condition()
		if err != nil {
			return nil, err
		}
		return inner, p.must(")")
	}
	return p.comparison()
}

func (p *soqlParser) comparison() (soqlExpr, error) {
	path, err := p.name()
	if err != nil {
		return nil, err
	}
	cmp := &soqlCompare{path: path}
	switch {
	case p.skip("not", "in"):
		cmp.op = "not in"
	case p.skip("in"):
		cmp.op = "in"
	case p.skip("like"):
		cmp.op = "like"
	default:
		return cmp, p.simple(cmp)
	}
	if cmp.op == "like" {
		v, err := p.literal()
		cmp.values = []soqlToken{v}
		return cmp, err
	}
	if p.skip("(", "select") {
		p.at-- // the query begins with the word
		cmp.rows, err = p.subquery()
		return cmp, err
	}
	cmp.values, err = p.list()
	return cmp, err
}

func (p *soqlParser) simple(cmp *soqlCompare) error {
	t := p.take()
	if t.kind != soqlSymbol || strings.Contains("(),", t.text) {
		return unexpectedToken(t)
	}
	cmp.op = t.text
	if cmp.op == "<>" {
		cmp.op = "!="
	}
	v, err := p.literal()
	cmp.values = []soqlToken{v}
	return err
}

func (p *soqlParser) list() ([]soqlToken, error) {
	if err := p.must("("); err != nil {
		return nil, err
	}
	var values []soqlToken
	for {
		v, err := p.literal()
		if err != nil {
			return nil, err
		}
		values = append(values, v)
		if !p.skip(",") {
			return values, p.must(")")
		}
	}
}

// literal takes a value: a string, a number, a date, true, false, null, or a
// word such as TODAY, which the evaluator knows or refuses.
func (p *soqlParser) literal() (soqlToken, error) {
	t := p.take()
	if t.kind == soqlEnd || t.kind == soqlSymbol {
		return t, unexpectedToken(t)
	}
	return t, nil
}

func (p *soqlParser) ordering(q *soqlQuery) error {
	if !p.skip("order", "by") {
		return nil
	}
	for {
		path, err := p.name()
		if err != nil {
			return err
		}
		o := soqlOrder{path: path}
		if !p.skip("asc") {
			o.desc = p.skip("desc")
		}
		if p.skip("nulls", "last") {
			o.nullsLast = true
		} else {
			p.skip("nulls", "first")
		}
		q.order = append(q.order, o)
		if !p.skip(",") {
			return nil
		}
	}
}

func (p *soqlParser) paging(q *soqlQuery) error {
	for {
		var into *int
		switch {
		case p.skip("limit"):
			into = &q.limit
		case p.skip("offset"):
			into = &q.offset
		case p.skip("for", "view"), p.skip("for", "reference"):
			continue
		default:
			return nil
		}
		t := p.take()
		n, err := strconv.Atoi(t.text)
		if t.kind != soqlNumber || err != nil || n < 0 {
			return unexpectedToken(t)
		}
		*into = n
	}
}
