/** Prints the counts as one plain line at the very end, where people and CI look for them. */
export default class SummaryReporter {
  onRunComplete(_contexts, results) {
    const { numPassedTests, numFailedTests, numPendingTests, numFailedTestSuites, numRuntimeErrorTestSuites } = results
    const failed = numFailedTests + (numFailedTestSuites > 0 && numFailedTests === 0 ? numRuntimeErrorTestSuites : 0)
    const line = `Tests: ${numPassedTests} passed, ${failed} failed, ${numPendingTests} skipped\n`
    // After every other reporter has had its say.
    process.once('exit', () => process.stdout.write(line))
  }
}
