"""The programs: what each needs, what is made ready outside, and the script whose result must be the same inside.

A script runs in an empty folder of its own; ``$GIVEN`` is the folder with what was made ready, read-only inside.
What it prints and its exit status are compared, so it prints only what a machine's state does not change.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One row; ``needs`` are programs that must be installed, ``ready`` a script that runs outside before."""

    name: str
    script: str
    needs: tuple[str, ...] = ()
    ready: str = ""
    seconds: int = 60


def python_tests(module: str, seconds: int = 240) -> Program:
    """A module of CPython's own tests: how each of its tests ended, as its report has it."""
    tell = (
        "import sys, xml.etree.ElementTree as tree\n"
        "for case in tree.parse(sys.argv[1]).iter('testcase'):\n"
        "    ends = [part.tag for part in case if part.tag in ('failure', 'error', 'skipped')]\n"
        "    print(case.get('classname'), case.get('name'), *(ends or ['ok']))\n"
    )
    return Program(
        name=f"python {module}",
        needs=("python3",),
        ready=f"cat > tell.py <<'END'\n{tell}END\n",
        script=(
            f'python3 -I -m test --junit-xml "$PWD/report.xml" {module} > log 2>&1; status=$?\n'
            'python3 "$GIVEN/tell.py" report.xml | sort || cat log\nexit $status\n'
        ),
        seconds=seconds,
    )


def multiprocessing_tests(method: str) -> Program:
    """CPython's tests of multiprocessing for one way to start processes."""
    module = (
        "import sys, unittest\n"
        "from test import _test_multiprocessing as tests\n"
        f"tests.install_tests_in_module_dict(globals(), {method!r})\n"
        'if __name__ == "__main__":\n'
        "    unittest.main(verbosity=2)\n"
    )
    return Program(
        name=f"python multiprocessing {method}",
        needs=("python3",),
        ready=f"cat > tests_of_{method}.py <<'END'\n{module}END\n",
        script=(
            f'cp "$GIVEN"/*.py . && python3 tests_of_{method}.py > log 2>&1; status=$?\n'
            "grep -E '^test_.* \\.\\.\\. ' log | sort; grep -E '^Ran ' log | cut -d' ' -f1-3; exit $status\n"
        ),
        seconds=600,
    )


GO = """package main

import ("fmt"; "net"; "os"; "os/exec"; "sync")

func main() {
	var lock sync.Mutex
	var group sync.WaitGroup
	sum := 0
	for i := 0; i < 200; i++ {
		group.Add(1)
		go func(i int) { defer group.Done(); lock.Lock(); sum += i; lock.Unlock() }(i)
	}
	group.Wait()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil { fmt.Println(err); os.Exit(1) }
	go func() { c, _ := listener.Accept(); fmt.Fprint(c, "hello"); c.Close() }()
	c, err := net.Dial("tcp", listener.Addr().String())
	if err != nil { fmt.Println(err); os.Exit(1) }
	text := make([]byte, 5)
	c.Read(text)
	out, err := exec.Command("/bin/echo", "from", "exec").Output()
	fmt.Println(sum, string(text), string(out), err)
	os.WriteFile("made", []byte("by go"), 0o644)
	back, _ := os.ReadFile("made")
	fmt.Println(string(back))
}
"""

RUST = """use std::{fs, io::{Read, Write}, net, process::Command, thread};

fn main() {
    let sums: Vec<u64> = (0..8u64).map(|n| thread::spawn(move || (0..10000u64).map(|i| i * n).sum()))
        .map(|one| one.join().unwrap()).collect();
    println!("{:?}", sums);
    let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let served = thread::spawn(move || listener.accept().unwrap().0.write_all(b"hello").unwrap());
    let mut text = String::new();
    net::TcpStream::connect(address).unwrap().read_to_string(&mut text).unwrap();
    served.join().unwrap();
    let out = Command::new("/bin/echo").arg("from exec").output().unwrap();
    fs::write("made", "by rust").unwrap();
    println!("{} {:?} {}", text, String::from_utf8(out.stdout), fs::read_to_string("made").unwrap());
}
"""

NGINX = """worker_processes 2;
daemon off;
user root;
pid nginx.pid;
error_log error.log;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fcgi; uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server { listen 127.0.0.1:8099; root .; }
}
"""

PROGRAMS: tuple[Program, ...] = (
    Program(
        name="sh",
        script=r"""
trap 'echo ended' EXIT
f() { local n=$1; [ "$n" -le 1 ] && echo 1 || echo $((n * $(f $((n - 1))))); }
f 10
for i in 3 1 2; do echo "$i"; done | sort | while read -r n; do printf '%s;' "$n"; done; echo
cat <<END | tr a-z A-Z
here is $((6 * 7))
END
(exit 7); echo $?
sh -c 'kill -TERM $$'; echo $?
mkfifo pipe; (echo through > pipe &); cat pipe
sleep 5 & kill $!; wait $!; echo $?
echo a b c > file; read -r one rest < file; echo "$rest $one"
ulimit -n; umask; cd / && pwd; set -- *.none; echo "$1"
""",
    ),
    Program(
        name="coreutils",
        script=r"""
seq 1 2000 | sort -R --random-source=/bin/true | sort -n | uniq | wc -l
seq 100 | split -l 7 - part; ls part* | wc -l; cat part* | md5sum
mkdir -p a/b/c; touch a/one a/b/two; ln -s ../one a/b/link; ln a/one a/hard; stat -c '%n %F %h %s' a/one a/b/link
cp -a a copy; diff -r a copy && echo same; mv copy moved; rm -r a; find moved | sort
chmod 640 moved/one; stat -c %a moved/one; touch -d 2001-02-03 moved/one; stat -c %y moved/one
dd if=/dev/zero of=big bs=1M count=8 2>/dev/null; truncate -s 3M big; stat -c %s big; sha256sum big
printf 'b,2\na,1\n' | sort | cut -d, -f2 | paste -sd+; tac file 2>/dev/null; echo $?
env -i A=1 env; nproc > /dev/null; date -u -d @0; basename /a/b.c .c; realpath moved/b/link | sed "s,$PWD,,"
timeout 0.2 sleep 5; echo $?; df . > /dev/null; du -s moved | cut -f2; test -w /etc/passwd; install -m 755 big x
mktemp -d ./XXXX > /dev/null; tee one two < /dev/null; comm -12 one two; shuf -i 1-9 -n 9 | sort | md5sum
id -un; whoami; groups > /dev/null; yes | head -3; expr 2 + 3; factor 123456789; numfmt --to=iec 12345678
""",
    ),
    Program(
        name="tar",
        needs=("tar", "gzip"),
        script="""
tar -C /usr/lib/python3.11 --exclude=__pycache__ -czf all.tgz json email http && mkdir out && tar xzf all.tgz -C out
(cd out && find . -type f | sort | xargs sha256sum) | sha256sum
tar tzvf all.tgz | awk '{print $1, $3, $6}' | sha256sum
""",
    ),
    Program(
        name="gcc",
        needs=("gcc",),
        script=r"""
cat > main.c <<'END'
#include <stdio.h>
#include <math.h>
int twice(int);
int main(void) { printf("%d %.3f\n", twice(21), sqrt(2)); return 3; }
END
echo 'int twice(int n) { return 2 * n; }' > twice.c
gcc -O2 -Wall -c main.c twice.c && gcc main.o twice.o -o main -lm && ./main; echo $?
gcc -fsyntax-only -x c - <<< 'int main(void) { return x; }' 2>&1 | head -2
gcc -shared -fPIC twice.c -o libtwice.so && gcc main.c -L. -ltwice -lm -o dynamic && LD_LIBRARY_PATH=. ./dynamic
""".replace("<<< 'int main(void) { return x; }'", "< bad.c").replace(
            "gcc -fsyntax-only", "echo 'int main(void) { return x; }' > bad.c\ngcc -fsyntax-only"
        ),
    ),
    Program(
        name="git clone",
        needs=("git",),
        ready="""
git init -q --bare given.git && git init -q work && cd work
for i in $(seq 30); do seq "$i" 200 > "file$i"; git add . && git -c user.name=a -c user.email=a@b commit -qm "step $i"; done
git push -q ../given.git HEAD:refs/heads/main && git -C ../given.git symbolic-ref HEAD refs/heads/main
""",
        script="""
export GIT_CONFIG_GLOBAL=$PWD/config; git config --global safe.directory '*'
git clone -q "$GIVEN/given.git" copy && cd copy && git log --format='%T %s' && git fsck && git status --short
git checkout -qb other HEAD~5 && echo more >> file1 && git -c user.name=a -c user.email=a@b commit -qam more
git merge-base main other | wc -c; git gc -q && git count-objects -v | grep -E '^(in-pack|packs)'; git diff --stat main
""",
    ),
    python_tests("test_os"),
    python_tests("test_io", 400),
    python_tests("test_subprocess", 400),
    python_tests("test_socket", 400),
    python_tests("test_threading", 300),
    python_tests("test_asyncio", 600),
    python_tests("test_mmap"),
    multiprocessing_tests("fork"),
    multiprocessing_tests("spawn"),
    Program(
        name="node",
        needs=("node",),
        script=r"""
cat > main.js <<'END'
const fs = require('fs'), http = require('http'), { spawnSync } = require('child_process');
const { Worker } = require('worker_threads');
fs.writeFileSync('made', 'by node');
console.log(fs.readFileSync('made', 'utf8'), spawnSync('/bin/echo', ['from exec']).stdout.toString());
new Worker('require("worker_threads").parentPort.postMessage(6 * 7)', { eval: true }).on('message', console.log)
  .on('exit', () => {
    const server = http.createServer((_, r) => r.end('hello')).listen(0, '127.0.0.1', () =>
      http.get({ port: server.address().port }, (r) => r.on('data', (d) => console.log(String(d))).on('end', () =>
        server.close())));
  });
fs.watch('.', { persistent: false }, () => {});
console.log(require('crypto').createHash('sha256').update('a').digest('hex'), process.platform);
END
node main.js; node -e 'process.exit(5)'; echo $?
""",
    ),
    Program(
        name="sqlite3",
        needs=("sqlite3",),
        script="""
sqlite3 data.db 'pragma journal_mode=wal; create table t(n integer primary key, s text);'
(echo 'begin;'; for i in $(seq 2000); do echo "insert into t(s) values ('row $i');"; done; echo 'commit;') | sqlite3 data.db
for i in 1 2 3 4; do sqlite3 -cmd '.timeout 9000' data.db "update t set s = s || '!' where n % 4 = $i % 4" & done; wait
sqlite3 data.db 'select count(*), sum(length(s)), max(s) from t; pragma integrity_check;'
""",
    ),
    Program(
        name="redis",
        needs=("redis-server", "redis-benchmark"),
        script="""
redis-server --port 6399 --save '' --dir "$PWD" --daemonize no > log 2>&1 & server=$!
for i in $(seq 100); do redis-cli -p 6399 ping > /dev/null 2>&1 && break; sleep 0.1; done
redis-benchmark -p 6399 -n 5000 -c 20 -q -t set,get,lpush,incr | sed 's/\\r/\\n/g' | grep -oE '^[A-Z]+: [0-9]' | cut -d: -f1 | uniq
redis-cli -p 6399 set key value; redis-cli -p 6399 get key; redis-cli -p 6399 save; ls dump.rdb
redis-cli -p 6399 eval 'return redis.call("dbsize") > 0' 0
redis-cli -p 6399 shutdown nosave; wait $server; echo $?
""",
    ),
    Program(
        name="nginx",
        needs=("nginx", "wrk"),
        ready=f"cat > nginx.conf <<'END'\n{NGINX}END\n",
        script="""
cp "$GIVEN/nginx.conf" . && mkdir logs && echo 'hello from a file' > index.html
nginx -p "$PWD" -c nginx.conf > log 2>&1 & server=$!
python3 - <<'END'
import time, urllib.request
for _ in range(100):
    try:
        print(urllib.request.urlopen("http://127.0.0.1:8099/").read())
        break
    except OSError:
        time.sleep(0.1)
END
wrk -t2 -c20 -d1s http://127.0.0.1:8099/ > wrk.txt; grep -c 'Requests/sec' wrk.txt; grep -c 'Non-2xx' wrk.txt
kill -QUIT $server; wait $server; echo $?
""",
    ),
    Program(
        name="go",
        needs=("go",),
        ready=f"cat > main.go <<'END'\n{GO}END\nHOME=${{HOME:-/root}} GO111MODULE=off go build -o program main.go\n",
        script='"$GIVEN/program"',
        seconds=180,
    ),
    Program(
        name="rust",
        needs=("rustc",),
        ready=f"cat > main.rs <<'END'\n{RUST}END\nrustc -O main.rs -o program 2>&1\n",
        script='"$GIVEN/program"',
        seconds=180,
    ),
    Program(
        name="500 forks",
        script="""
i=0; while [ $i -lt 500 ]; do echo $i; i=$((i+1)); done | while read -r n; do echo "$n" | cat; done | sha256sum
i=0; while [ $i -lt 500 ]; do (exit $((i % 7))); s=$((s + $?)); i=$((i+1)); done; echo $s
""",
    ),
)
