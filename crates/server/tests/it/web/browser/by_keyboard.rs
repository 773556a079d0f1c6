//! Without a mouse everything can be reached, and the focus is visible.
use fantoccini::key::Key;

use super::filled::Filled;
use crate::harness::Browser;

/// Opens all folds and numbers everything that can be operated; returns the count.
const NUMBER: &str = "
    for (const fold of document.querySelectorAll('details')) fold.open = true;
    const usable = 'a[href], button, input:not([type=hidden]), select, textarea, summary';
    const all = [...document.querySelectorAll(usable)];
    const used = all.filter((e) => !e.disabled && e.getClientRects().length);
    used.forEach((e, at) => { e.dataset.number = at; });
    return used.length";

/// Where the focus is: number and HTML of the element, and whether the focus is visible.
const FOCUS: &str = "
    const e = document.activeElement;
    if (!e || e === document.body) return null;
    const style = getComputedStyle(e);
    const line = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
    const box = e.getBoundingClientRect();
    const inside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
    return { number: e.dataset.number ?? null, html: e.outerHTML.slice(0, 150),
        seen: (line || style.boxShadow !== 'none') && inside }";

const HTML_OF: &str =
    "return document.querySelector(`[data-number='${arguments[0]}']`).outerHTML.slice(0, 150)";

#[tokio::test(flavor = "multi_thread")]
async fn keyboard_reaches_everything_and_the_focus_is_visible() {
    let filled = Filled::start().await;
    let browser = Browser::start(&filled.app).await;
    browser.open(&filled.path("/issues/{request}")).await;
    let all = browser.run(NUMBER, vec![]).await.as_u64().expect("a number");
    let mut missed: Vec<u64> = (0..all).collect();
    // Regions that scroll can take the focus too.
    for _ in 0..2 * all + 20 {
        browser.press(Key::Tab).await;
        let focus = browser.run(FOCUS, vec![]).await;
        if focus.is_null() {
            break;
        }
        assert!(focus["seen"] == true, "the focus cannot be seen on {}", focus["html"]);
        let number = focus["number"].as_str().and_then(|number| number.parse::<u64>().ok());
        missed.retain(|missed| Some(*missed) != number);
    }
    if let Some(missed) = missed.first() {
        panic!("not reached: {}", browser.run(HTML_OF, vec![(*missed).into()]).await);
    }
    assert!(all > 10, "the page has elements to reach: {all}");

    browser.open(&filled.path("/issues/{request}")).await;
    browser.press(Key::Tab).await;
    browser.press(Key::Enter).await;
    let path = browser.path().await;
    assert!(path.ends_with("#content"), "the first key leads past the navigation: {path}");
    let focus_fold = "const fold = document.querySelector('main details:not([open]) > summary');
        fold.dataset.tested = 1; fold.focus()";
    browser.run(focus_fold, vec![]).await;
    browser.press(Key::Enter).await;
    let open = "return document.querySelector('[data-tested]').parentElement.open";
    assert_eq!(browser.run(open, vec![]).await, true, "a key opens a fold");
}
