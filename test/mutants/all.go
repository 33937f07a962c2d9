package main

import "slices"

// all are the mutants of every room.
func all() []mutant {
<<<<<<< HEAD
	return concat(
		planMutants(), pushMutants(), healthMutants(), retryMutants(), assignMutants(), gateMutants(), rulesMutants(), registerMutants(),
		reloadMutants(), refreshMutants(), snapshotMutants(), pauseMutants(), checkMutants(),
	)
=======
	return concat(planMutants(), pushMutants(), healthMutants(), retryMutants(), assignMutants(), rulesMutants(), registerMutants(), reloadMutants(), refreshMutants())
>>>>>>> ca53e77 (Say how to roll a configuration out, and back)
}

func concat(lists ...[]mutant) []mutant { return slices.Concat(lists...) }
