//! The function in Node and in Python: its code, and the least that such a process has to do for it.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use crate::cost::Taken;

/// A runtime, and the function for it.
pub struct Runtime {
    /// The name of the function and of its deliveries.
    pub name: &'static str,
    /// The runtime's name in a function's configuration.
    pub id: &'static str,
    /// The file of the function.
    pub file: &'static str,
    /// The function's code, which answers with the records that it is sent.
    pub code: &'static str,
    /// A program and its arguments before the text of a script.
    program: &'static [&'static str],
    /// The code behind the function's that makes a script of it, which takes the same request again and again, from
    /// bytes to bytes as a runtime must, and prints the seconds that passed and those of the processor.
    alone: &'static str,
}

/// All of them.
pub const RUNTIMES: [Runtime; 2] = [
    Runtime {
        name: "node",
        id: "nodejs22.x",
        file: "index.mjs",
        code: "export const handler = async ({ records }) => ({
  records: records.map(({ recordId, data }) => ({ recordId, result: 'Ok', data })),
});",
        program: &["node", "--input-type=module", "-e"],
        alone: "
import { readFileSync } from 'node:fs';
const request = readFileSync(0);
const take = async (times) => {
  for (; times > 0; times--) Buffer.from(JSON.stringify(await handler(JSON.parse(request.toString()))));
};
await take(10);
const [wall, cpu] = [performance.now(), process.cpuUsage()];
await take(Number(process.argv[1]));
const { user, system } = process.cpuUsage(cpu);
console.log((performance.now() - wall) / 1e3, (user + system) / 1e6);",
    },
    Runtime {
        name: "python",
        id: "python3.12",
        file: "index.py",
        code: "def handler(event, context):
    return {'records': [{'recordId': r['recordId'], 'result': 'Ok', 'data': r['data']} for r in event['records']]}
",
        program: &["python3", "-c"],
        alone: "
import json, sys, time
request = sys.stdin.buffer.read()
def take(times):
    for _ in range(times):
        json.dumps(handler(json.loads(request), None), ensure_ascii=False).encode()
take(10)
wall, cpu = time.perf_counter(), time.process_time()
take(int(sys.argv[1]))
print(time.perf_counter() - wall, time.process_time() - cpu)",
    },
];

impl Runtime {
    /// The seconds that the function alone takes, without a pipe and without this process, for as many calls with
    /// `request`.
    pub fn alone(&self, request: &[u8], calls: usize) -> Taken {
        let [program, args @ ..] = self.program else {
            unreachable!("every runtime has a program")
        };
        let mut child = Command::new(program)
            .args(args)
            .args([format!("{}{}", self.code, self.alone), calls.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the runtime is installed");
        let mut stdin = child.stdin.take().expect("it is piped");
        stdin
            .write_all(request)
            .expect("the script reads all of it");
        drop(stdin);
        let printed = child.wait_with_output().expect("the script ends").stdout;
        let printed = String::from_utf8(printed).expect("numbers are text");
        let mut seconds = printed
            .split_whitespace()
            .map(|n| n.parse().expect("seconds"));
        let mut next = || seconds.next().expect("two numbers");
        Taken {
            wall: next(),
            cpu: next(),
            children: 0.0,
        }
    }
}
