/* Keeps one processor busy until it is killed: what any other program might do beside the gateway. */
process.on('disconnect', () => process.exit())
const turn = () => {
  for (const until = performance.now() + 20; performance.now() < until; );
  setImmediate(turn)
}
turn()
