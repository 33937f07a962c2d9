package emulator

// soqlQuery is a parsed query.
type soqlQuery struct {
	text   string
	items  []soqlItem
	count  bool // SELECT COUNT()
	from   soqlToken
	alias  string
	where  soqlExpr
	group  []soqlToken // GROUP BY
	order  []soqlOrder
	limit  int // -1: none
	offset int
}

// soqlItem is one thing selected: a path, or a function of one.
type soqlItem struct {
	path     soqlToken
	function string // "count" or "fields" in lower case; empty for a plain path
	alias    string
	child    *soqlQuery // a query of child rows; its from is a relationship
}

type soqlOrder struct {
	path      soqlToken
	desc      bool
	nullsLast bool
}

// soqlExpr is a condition: *soqlAnd, *soqlOr, *soqlNot or *soqlCompare.
type soqlExpr interface{ isCondition() }

type soqlAnd struct{ parts []soqlExpr }

type soqlOr struct{ parts []soqlExpr }

type soqlNot struct{ part soqlExpr }

// soqlCompare is one comparison. in, not in, like, =, !=, <, >, <=, >= are the
// operators.
type soqlCompare struct {
	path   soqlToken
	op     string
	values []soqlToken
	rows   *soqlQuery // IN (SELECT ...)
}

func (*soqlAnd) isCondition()     {}
func (*soqlOr) isCondition()      {}
func (*soqlNot) isCondition()     {}
func (*soqlCompare) isCondition() {}
