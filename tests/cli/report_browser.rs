//! A report in a browser: it asks for nothing, says nothing to the console, and its viewer does what it should.
//!
//! Chromium is driven over its pipe (NUL-terminated JSON on two file descriptors), so that no other program is needed.
//! Without Chromium the test says that it is skipped; `BOLDLY_CHROMIUM` names another binary.

use crate::report::REPORTED;
use crate::sample::{ALL, edit, file, project, with_confounds};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// An answer takes far less; a machine under load may need most of it to start the browser.
const PATIENCE: Duration = Duration::from_secs(120);

struct Browser {
    child: Child,
    stdin: ChildStdin,
    messages: Receiver<Value>,
    session: Option<String>,
    last_id: u64,
    events: Vec<Value>,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// `None` where there is no Chromium.
    fn start() -> Option<Self> {
        let named = std::env::var("BOLDLY_CHROMIUM").ok();
        let candidates = named.into_iter().chain(["chromium", "chromium-browser", "google-chrome"].map(str::to_owned));
        let works = |name: &String| {
            let version = Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
            version.is_ok_and(|status| status.success())
        };
        let binary = candidates.into_iter().find(works)?;
        let profile = tempfile::tempdir().unwrap();
        // the browser reads commands from descriptor 3 and answers on 4
        let mut child = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 1>&2", &binary, "--headless", "--no-sandbox", "--disable-gpu"])
            .args(["--no-first-run", "--disable-background-networking", "--remote-debugging-pipe"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            for message in BufReader::new(stdout).split(0).map_while(Result::ok) {
                if sender.send(serde_json::from_slice(&message).unwrap()).is_err() {
                    break;
                }
            }
        });
        let mut browser =
            Self { child, stdin, messages, session: None, last_id: 0, events: Vec::new(), _profile: profile };
        let target = browser.ask("Target.createTarget", &json!({"url": "about:blank"}));
        let attached = browser.ask("Target.attachToTarget", &json!({"targetId": target["targetId"], "flatten": true}));
        browser.session = Some(attached["sessionId"].as_str().unwrap().to_owned());
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.ask(&format!("{domain}.enable"), &json!({}));
        }
        Some(browser)
    }

    fn ask(&mut self, method: &str, parameters: &Value) -> Value {
        self.last_id += 1;
        let mut message = json!({"id": self.last_id, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.stdin.write_all(format!("{message}\0").as_bytes()).unwrap();
        self.stdin.flush().unwrap();
        loop {
            let answer = self.messages.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no answer to {method}"));
            if answer["id"] == self.last_id {
                assert!(answer.get("error").is_none(), "{method}: {answer}");
                return answer["result"].clone();
            }
            self.events.push(answer);
        }
    }

    /// What a script gives; a promise is awaited.
    fn run(&mut self, script: &str) -> Value {
        let words = json!({"expression": script, "awaitPromise": true, "returnByValue": true});
        let result = self.ask("Runtime.evaluate", &words);
        assert!(result.get("exceptionDetails").is_none(), "{script}: {result}");
        result["result"]["value"].clone()
    }

    fn open(&mut self, path: &std::path::Path) {
        let address = format!("file://{}", path.canonicalize().unwrap().display());
        self.ask("Page.navigate", &json!({"url": address}));
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'");
    }

    /// Until a condition holds.
    fn wait(&mut self, condition: &str) {
        for _ in 0..600 {
            if self.run(condition) == true {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("never came true: {condition}");
    }

    /// Everything a quiet page does not do: messages, exceptions, dialogues, requests.
    fn noise(&self) -> Vec<String> {
        let loud = |event: &&Value| match event["method"].as_str().unwrap_or_default() {
            "Runtime.exceptionThrown"
            | "Runtime.consoleAPICalled"
            | "Log.entryAdded"
            | "Page.javascriptDialogOpening" => true,
            "Network.requestWillBeSent" => {
                let address = event["params"]["request"]["url"].as_str().unwrap_or_default();
                let is_page = address.starts_with("file:") && address.ends_with("report.html");
                !(is_page || address.starts_with("data:"))
            }
            _ => false,
        };
        self.events.iter().filter(loud).map(Value::to_string).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const PICTURE: &str = "document.querySelector('.viewer canvas').toDataURL()";
const READOUT: &str = "document.querySelector('.viewer .readout').textContent";

#[test]
fn a_report_is_quiet_and_its_viewer_works() {
    let Some(mut browser) = Browser::start() else {
        eprintln!("skipped: no Chromium here; install one, or name it in BOLDLY_CHROMIUM");
        return;
    };
    let project = project(&with_confounds(&ALL, REPORTED));
    let hostile = "<script>alert(1)</script>";
    for run in ALL {
        edit(&project, &file(run, "events.tsv"), |text| text.replace("\tblank", &format!("\t{hostile}")));
    }
    project.succeed(&["run", "pipeline.toml"]);
    browser.open(&project.path().join("results/report.html"));
    assert_eq!(browser.run("document.querySelectorAll('table a').length"), 2);

    browser.open(&project.path().join("results/sub-01_report.html"));
    browser.wait("document.querySelector('.viewer')?.dataset.ready === 'true'");
    let text = browser.run("document.body.textContent");
    assert!(text.as_str().unwrap().contains(hostile), "the name of the condition is to be read");
    let broken = browser.run("[...document.images].filter((image) => image.naturalWidth === 0).length");
    assert_eq!(broken, 0, "every picture can be decoded");
    assert_eq!(browser.run("[...document.images].every((image) => image.alt !== '')"), true);

    // the first peak of the table is where the viewer begins, with the same z
    let expected = browser.run(
        "(() => { const cells = [...document.querySelector('.contrast button.go').closest('tr').children].map((c) => c.textContent);
           return `x = ${cells[3]}, y = ${cells[4]}, z = ${cells[5]} mm: z = ${cells[6]}`; })()",
    );
    assert_eq!(browser.run(READOUT), expected, "the largest cluster of this contrast holds its strongest voxel");

    let before = browser.run(PICTURE);
    browser.run(
        "(() => { const slider = document.getElementById('viewer-0-threshold'); slider.value = 8;
           slider.dispatchEvent(new Event('input')); })()",
    );
    let after = browser.run(PICTURE);
    assert_ne!(before, after, "another threshold is another picture");
    assert_eq!(browser.run("document.querySelector('.viewer output').textContent"), "8.0");

    // the keys move the cross by a voxel of 7.5 mm, the wheel changes the slice
    let place = |readout: &Value| -> Vec<f64> {
        let text = readout.as_str().unwrap().replace('\u{2212}', "-");
        let numbers = text.split([' ', ',']).filter_map(|word| word.parse().ok());
        numbers.take(3).collect()
    };
    let from = place(&browser.run(READOUT));
    browser.run(
        "(() => { const canvas = document.querySelector('.viewer canvas'); canvas.focus();
           canvas.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowLeft' }));
           canvas.dispatchEvent(new WheelEvent('wheel', { deltaY: -1 })); })()",
    );
    let to = place(&browser.run(READOUT));
    // as shown, to 0.1 mm
    assert!((from[0] - to[0] - 7.5).abs() < 0.11 && (to[2] - from[2] - 7.5).abs() < 0.11, "{from:?} {to:?}");

    // another contrast, by a peak of its table
    let expected = browser.run(
        "(async () => { const button = [...document.querySelectorAll('.contrast')][1].querySelector('button.go'); button.click();
           await new Promise((done) => setTimeout(done, 500));
           const cells = [...button.closest('tr').children].map((cell) => cell.textContent);
           return `x = ${cells[3]}, y = ${cells[4]}, z = ${cells[5]} mm: z = ${cells[6]}`; })()",
    );
    assert_eq!(browser.run(READOUT), expected);
    assert_eq!(browser.run("document.getElementById('viewer-0-map').selectedOptions[0].text"), "faceVsHouse");

    let page = "getComputedStyle(document.body).backgroundColor";
    let theme = |theme| json!({"features": [{"name": "prefers-color-scheme", "value": theme}]});
    browser.ask("Emulation.setEmulatedMedia", &theme("light"));
    let light = browser.run(page);
    browser.ask("Emulation.setEmulatedMedia", &theme("dark"));
    assert_ne!(browser.run(page), light);
    let narrow = json!({"width": 380, "height": 800, "deviceScaleFactor": 1, "mobile": false});
    browser.ask("Emulation.setDeviceMetricsOverride", &narrow);
    assert_eq!(browser.run("document.documentElement.scrollWidth <= 380"), true, "nothing but tables scrolls sideways");
    let noise = browser.noise();
    assert!(noise.is_empty(), "the page is not quiet:\n{}", noise.join("\n"));
}
