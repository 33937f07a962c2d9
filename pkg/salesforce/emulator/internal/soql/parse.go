package soql

import (
	"strconv"
	"strings"
)

// maxDepth bounds nesting of parentheses and NOTs.
const maxDepth = 200

// maxLength is Salesforce's own bound. [U]
const maxLength = 100_000

type parser struct {
	text   string
	tokens []token
	inner  bool // in a query inside another
	at     int
	depth  int
}

// Parse reads SELECT ... FROM ... [WHERE] [ORDER BY] [LIMIT] [OFFSET].
func Parse(text string) (*Query, error) {
	if len(text) > maxLength {
		return nil, &syntaxError{"SOQL statements cannot be longer than 100000 characters."}
	}
	tokens, err := lex(text)
	if err != nil {
		return nil, err
	}
	p := &parser{text: text, tokens: tokens}
	q, err := p.query()
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind != endToken {
		return nil, unexpectedToken(t)
	}
	return q, nil
}

func (p *parser) query() (*Query, error) {
	q := &Query{text: p.text, limit: -1}
	for _, step := range [...]func(*Query) error{p.selects, p.source, p.filter, p.grouping, p.ordering, p.paging} {
		if err := step(q); err != nil {
			return nil, err
		}
	}
	return q, nil
}

// subquery reads a query in parentheses, the first of which is taken. One
// inside another is as deep as it goes here.
func (p *parser) subquery() (*Query, error) {
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

func (p *parser) grouping(q *Query) error {
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

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) take() token {
	t := p.tokens[p.at]
	if t.kind != endToken {
		p.at++
	}
	return t
}

// skip takes the words when all of them come next.
func (p *parser) skip(words ...string) bool {
	for i, w := range words {
		if p.at+i >= len(p.tokens) || !p.tokens[p.at+i].is(w) {
			return false
		}
	}
	p.at += len(words)
	return true
}

func (p *parser) must(word string) error {
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
func (p *parser) name() (token, error) {
	t := p.peek()
	if t.kind != nameToken || reserved(t.text) || strings.ContainsRune(t.text, ':') ||
		strings.Contains(t.text, "..") || strings.HasPrefix(t.text, ".") || strings.HasSuffix(t.text, ".") {
		return t, unexpectedToken(t)
	}
	return p.take(), nil
}

func (p *parser) selects(q *Query) error {
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

func (p *parser) item() (item, error) {
	if p.skip("(") {
		child, err := p.subquery()
		return item{child: child}, err
	}
	path, err := p.name()
	if err != nil {
		return item{}, err
	}
	item := item{path: path}
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
	if next := p.peek(); next.kind == nameToken && !next.is("from") && item.function != "" {
		item.alias = p.take().text
	}
	return item, nil
}

func (p *parser) source(q *Query) error {
	if err := p.must("from"); err != nil {
		return err
	}
	from, err := p.name()
	if err != nil {
		return err
	}
	q.from = from
	p.skip("as")
	if t := p.peek(); t.kind == nameToken && !reserved(t.text) && !t.is("order") && !t.is("using") && !t.is("group") {
		q.alias = p.take().text
	}
	return nil
}

func (p *parser) filter(q *Query) error {
	if !p.skip("where") {
		return nil
	}
	var err error
	q.where, err = p.condition()
	return err
}

// condition reads terms joined by AND or by OR. Mixing the two without
// parentheses is an error in SOQL. [U]
func (p *parser) condition() (expr, error) {
	first, err := p.term()
	if err != nil {
		return nil, err
	}
	word := "and"
	if p.peek().is("or") {
		word = "or"
	}
	parts := []expr{first}
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
		return &or{parts}, nil
	}
	return &and{parts}, nil
}

func (p *parser) term() (expr, error) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxDepth {
		return nil, &syntaxError{"condition is nested too deeply"}
	}
	if p.skip("not") {
		part, err := p.term()
		return &not{part}, err
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

func (p *parser) comparison() (expr, error) {
	path, err := p.name()
	if err != nil {
		return nil, err
	}
	cmp := &comparison{path: path}
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
		cmp.values = []token{v}
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

func (p *parser) simple(cmp *comparison) error {
	t := p.take()
	if t.kind != symbolToken || strings.Contains("(),", t.text) {
		return unexpectedToken(t)
	}
	cmp.op = t.text
	if cmp.op == "<>" {
		cmp.op = "!="
	}
	v, err := p.literal()
	cmp.values = []token{v}
	return err
}

func (p *parser) list() ([]token, error) {
	if err := p.must("("); err != nil {
		return nil, err
	}
	var values []token
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
func (p *parser) literal() (token, error) {
	t := p.take()
	if t.kind == endToken || t.kind == symbolToken {
		return t, unexpectedToken(t)
	}
	return t, nil
}

func (p *parser) ordering(q *Query) error {
	if !p.skip("order", "by") {
		return nil
	}
	for {
		path, err := p.name()
		if err != nil {
			return err
		}
		o := orderBy{path: path}
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

func (p *parser) paging(q *Query) error {
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
		if t.kind != numberToken || err != nil || n < 0 {
			return unexpectedToken(t)
		}
		*into = n
	}
}
