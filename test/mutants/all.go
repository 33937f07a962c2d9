package main

import "slices"

// all are the mutants of every room.
func all() []mutant {
	return concat(
		planMutants(), pushMutants(), healthMutants(), retryMutants(), assignMutants(), gateMutants(), rulesMutants(), registerMutants(),
		reloadMutants(), refreshMutants(), snapshotMutants(), pauseMutants(), checkMutants(), privilegeMutants(), selfMutants(),
	)
}

func concat(lists ...[]mutant) []mutant { return slices.Concat(lists...) }
