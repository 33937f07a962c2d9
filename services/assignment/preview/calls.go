package preview

// callRecords is how many records one call takes.
const callRecords = 200

// calls is what an estimate of the API calls goes by.
type calls struct {
	// sought are people whose user is looked for, created those who get one, who are
	// looked for only if that is refused; users are those whose record is written,
	// moved those whose profile changes besides.
	sought, created, users, moved int
	// frozen are leavers who are frozen first.
	frozen int
	// given and taken are records of assignments by the key of their kind.
	given, taken map[string]int
}

// estimate is the fewest calls that all of it takes in whole batches. Small
// batches, repeats and what has to be read again come on top.
func (c *calls) estimate() int {
	n := full(c.sought) + full(c.created) + full(c.users) + full(c.moved) + 2*full(c.frozen)
	for _, records := range []map[string]int{c.given, c.taken} {
		for _, r := range records {
			n += full(r)
		}
	}
	return n
}

func full(records int) int { return (records + callRecords - 1) / callRecords }
