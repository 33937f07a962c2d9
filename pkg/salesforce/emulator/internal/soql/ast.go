package soql

// Query is a parsed query.
type Query struct {
	text   string
	items  []item
	count  bool // SELECT COUNT()
	from   token
	alias  string
	where  expr
	group  []token // GROUP BY
	order  []orderBy
	limit  int // -1: none
	offset int
}

// item is one thing selected: a path, or a function of one.
type item struct {
	path     token
	function string // "count" or "fields" in lower case; empty for a plain path
	alias    string
	child    *Query // a query of child rows; its from is a relationship
}

type orderBy struct {
	path      token
	desc      bool
	nullsLast bool
}

// expr is a condition: *and, *or, *not or *comparison.
type expr interface{ isCondition() }

type and struct{ parts []expr }

type or struct{ parts []expr }

type not struct{ part expr }

// comparison is one comparison. in, not in, like, =, !=, <, >, <=, >= are the
// operators.
type comparison struct {
	path   token
	op     string
	values []token
	rows   *Query // IN (SELECT ...)
}

func (*and) isCondition()        {}
func (*or) isCondition()         {}
func (*not) isCondition()        {}
func (*comparison) isCondition() {}
