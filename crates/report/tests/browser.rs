//! The page in a real browser: nothing is logged, nothing is fetched, nothing reaches out of the
//! screen of a phone.
//!
//! Looks for `chromium`, `chromium-browser` or `google-chrome` on the PATH; where there is none, it
//! reports loudly that it was skipped. Screenshots are left in `target/tmp/report-*.png`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod sample;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A phone, and a desk.
const WIDTHS: [u32; 2] = [390, 1400];
/// Chromium makes no window that is narrower, so pages are looked at in a frame of their width.
const NARROWEST_WINDOW: u32 = 500;
/// No screenshot is higher.
const HIGHEST: u32 = 16_000;

/// What a page reports of itself into the title of the page around it, once it is laid out.
const PROBE: &str = r#"<script>
addEventListener("load", () => {
  const wide = [...document.querySelectorAll("body *")].filter(e => !e.closest(".scroll, pre, svg")
    && e.getBoundingClientRect().right > innerWidth + 0.5);
  parent.document.title = [
    "LOOKED", innerWidth, document.documentElement.scrollWidth, document.documentElement.scrollHeight,
    performance.getEntriesByType("resource").map(e => e.name).join(" "),
    wide.slice(0, 3).map(e => e.tagName + "." + e.className).join(" "),
  ].join("|");
});
</script>"#;

/// The first browser that runs.
fn browser() -> Option<&'static str> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let runs = |name: &&str| {
        Command::new(name)
            .arg("--version")
            .output()
            .is_ok_and(|out| out.status.success())
    };
    let found = names.into_iter().find(runs);
    if found.is_none() {
        // Not with a macro, whose words the test harness keeps to itself.
        let line = "-".repeat(78);
        let _ = writeln!(
            std::io::stderr(),
            "{line}\nSKIPPED: the report was not looked at in a browser: none of {} is there and runs\n{line}",
            names.join(", ")
        );
    }
    found
}

/// A folder of its own for each look, since tests run at the same time.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("browser-{name}"));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Opens `html` in a frame of `width` pixels; standard output and standard error of the browser.
fn open(
    browser: &str,
    place: &Path,
    html: &str,
    size: (u32, u32),
    more: &[String],
) -> (String, String) {
    let (width, height) = size;
    let escaped = html.replace('&', "&amp;").replace('"', "&quot;");
    let around = format!(
        "<!DOCTYPE html><title>not looked</title><body style=\"margin:0\"><iframe srcdoc=\"{escaped}\" \
         style=\"border:0;display:block;width:{width}px;height:{height}px\"></iframe>"
    );
    let page = place.join("page.html");
    std::fs::write(&page, around).unwrap();
    let out = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-sync",
        ])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--enable-logging=stderr",
        ])
        // Whatever is asked for is not found, so that a test never talks to anybody.
        .arg("--host-resolver-rules=MAP * ~NOTFOUND")
        .arg(format!("--user-data-dir={}", place.join("user").display()))
        .arg(format!(
            "--window-size={},{height}",
            width.max(NARROWEST_WINDOW)
        ))
        .args(more)
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let (stdout, stderr) = (text(out.stdout), text(out.stderr));
    assert!(out.status.success(), "{browser}: {}\n{stderr}", out.status);
    (stdout, stderr)
}

/// What is wrong with a page on a screen of `width` pixels, and how high it is there.
fn look(browser: &str, place: &Path, html: &str, width: u32) -> (Vec<String>, u32) {
    let probed = html.replacen("</body>", &format!("{PROBE}</body>"), 1);
    assert_ne!(probed, html, "a page without an end");
    let (dom, log) = open(
        browser,
        place,
        &probed,
        (width, 800),
        &["--dump-dom".into()],
    );
    let title = dom
        .split("<title>")
        .nth(1)
        .and_then(|rest| rest.split("</title>").next())
        .unwrap_or_default();
    let parts: Vec<&str> = title.split('|').collect();
    let ["LOOKED", inner, reach, height, fetched, wide] = parts[..] else {
        panic!("the page did not answer: {title}\n{log}")
    };
    assert_eq!(inner, width.to_string(), "the frame has another width");
    let mut faults: Vec<String> = log
        .lines()
        .filter(|line| line.contains("CONSOLE"))
        .map(|line| format!("logged: {line}"))
        .collect();
    if !fetched.is_empty() {
        faults.push(format!("fetched: {fetched}"));
    }
    if reach.parse::<u32>().unwrap() > width || !wide.is_empty() {
        faults.push(format!(
            "too wide: reaches {reach} of {width} pixels; {wide}"
        ));
    }
    (faults, height.parse().unwrap())
}

#[test]
fn the_page_is_sound_on_a_phone_and_on_a_desk() {
    let Some(browser) = browser() else { return };
    let mut input = sample::study(true);
    input
        .results
        .iter_mut()
        .filter(|r| r.emotion == "fear")
        .for_each(sample::too_few);
    input.primary_budget = Some("f0.01".into());
    let html = report::render(&input).unwrap();
    let place = folder("sound");
    for width in WIDTHS {
        // With all that is folded away too.
        for (page, name) in [
            (html.clone(), ""),
            (html.replace("<details>", "<details open>"), "-open"),
        ] {
            let (faults, height) = look(browser, &place, &page, width);
            assert!(faults.is_empty(), "at {width} pixels{name}: {faults:?}");
            let picture =
                Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("report-{width}{name}.png"));
            let _ = std::fs::remove_file(&picture);
            let to = format!("--screenshot={}", picture.display());
            open(
                browser,
                &place,
                &page,
                (width, height.min(HIGHEST)),
                &[to, "--hide-scrollbars".into()],
            );
            assert!(
                std::fs::metadata(&picture).is_ok_and(|file| file.len() > 10_000),
                "no picture of the page"
            );
        }
    }
}

#[test]
fn every_fault_is_found() {
    let Some(browser) = browser() else { return };
    let place = folder("faults");
    let page = |body: &str| format!("<!DOCTYPE html><html><body><p>words</p>{body}</body></html>");
    assert!(look(browser, &place, &page(""), 390).0.is_empty());
    for (body, fault) in [
        (
            "<script>console.error(\"a complaint\")</script>",
            "logged: ",
        ),
        ("<script>nothing.there</script>", "logged: "),
        (
            "<img src=\"http://example.invalid/a.png\">",
            "fetched: http://example.invalid/a.png",
        ),
        (
            "<style>p{background:url(http://example.invalid/b.png)}</style>",
            "fetched: http://example.invalid/b.png",
        ),
        ("<div style=\"width:400px\">wide</div>", "too wide: "),
    ] {
        let (faults, _) = look(browser, &place, &page(body), 390);
        assert!(
            faults.iter().any(|found| found.starts_with(fault)),
            "{body}: {faults:?}"
        );
    }
}
