//! Which shape a file is taken for.

use super::shape::{Shape, recognise};

fn check(text: &str, is_lines_likely: bool, expected: Shape) {
    assert_eq!(recognise(text, true, is_lines_likely), expected, "{text}");
}

#[test]
fn lines_and_documents_are_told_apart() {
    for likely in [false, true] {
        check("{\"a\":1}\n{\"a\":2}\n", likely, Shape::Lines);
        check("{\"a\":1}", likely, Shape::Lines);
        check("{\"a\":1}{\"a\":2}\n", likely, Shape::Lines);
        check("{\"a\":\n{\"a\":2}\n{\"a\":3}\n", likely, Shape::Lines);
        check("[1,2]\n[3,4]\n", likely, Shape::Lines);
        check("[{\"a\":1},{\"a\":2}]", likely, Shape::Documents);
        check("[\n{\"a\":1},\n{\"a\":2}\n]\n", likely, Shape::Documents);
        check("{\n  \"a\": 1\n}\n", likely, Shape::Documents);
        check(
            "{\"a\": {\n  \"b\": 1\n}}\n{\"a\": {\n \"b\": 2\n}}",
            likely,
            Shape::Documents,
        );
    }
    check("broken\n{\"a\":1}\n", true, Shape::Lines);
    check("broken\nbroken\n", true, Shape::Lines);
    check("", true, Shape::Lines);
    assert_eq!(
        recognise("{\"a\":", false, true),
        Shape::Lines,
        "a line longer than what is seen"
    );
    assert_eq!(recognise("{\"a\":", false, false), Shape::Documents);
}
