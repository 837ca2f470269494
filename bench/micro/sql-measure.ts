/** Measures nanoseconds of this process's own CPU time per call: the machine may be busy with other things. */

const ROUNDS = 7;

export function measure(name: string, calls: number, run: () => void): void {
  for (let i = 0; i < calls; i++) run();
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    for (let i = 0; i < calls; i++) run();
    const { user, system } = process.cpuUsage(before);
    rounds.push(((user + system) * 1000) / calls);
  }
  rounds.sort((a, b) => a - b);
  const median = rounds[ROUNDS >> 1]!;
  console.log(`${name.padEnd(44)} ${median.toFixed(0).padStart(8)} ns/op (best ${rounds[0]!.toFixed(0)})`);
}
