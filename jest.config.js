/** Jest runs the TypeScript sources as Node itself does: types stripped, nothing else transformed. */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/test/helpers/strip-types.js' },
  collectCoverageFrom: ['src/**/*.ts'],
  coverageProvider: 'v8',
  coverageThreshold: { global: { lines: 90 } },
  coverageReporters: ['text-summary', 'json-summary', 'lcov'],
  reporters: ['default', '<rootDir>/test/helpers/summary-reporter.js'],
  testTimeout: 30_000,
  // Most tests wait for sockets and clocks more than for a processor.
  maxWorkers: 3,
  // Each test file has modules of its own, which Node never lets go of: a worker that has grown is replaced.
  workerIdleMemoryLimit: '800MB',
}
