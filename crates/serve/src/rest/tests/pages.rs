//! Pages: every row once, in order, for every filter and order.

use std::collections::BTreeMap;

use serde_json::Value;

use super::house::{House, PERSONAS};

/// All rows of a path, page by page.
async fn all(house: &House, persona: &str, path: &str) -> (Vec<Value>, usize) {
    let (mut rows, mut pages, mut next) = (Vec::new(), 0, path.to_owned());
    loop {
        let page = house.get(&next).as_(persona).send().await;
        rows.extend(page.rows());
        pages += 1;
        assert!(pages < 200, "{path} does not end");
        let link = page.header("link").to_owned();
        match page.json()["next"].as_str() {
            Some(path) => {
                assert_eq!(link, format!("<{path}>; rel=\"next\""));
                next = path.to_owned();
            }
            None => {
                assert_eq!(link, "");
                return (rows, pages);
            }
        }
    }
}

#[tokio::test]
async fn pages_cover_every_row_once() {
    let house = House::new().await;
    // Path, the condition and the order of the same in SQL, columns.
    let cases = [
        ("", "true", ""),
        ("&sort=event_id", "true", "event_id"),
        ("&sort=-event_id", "true", "event_id desc"),
        ("&sort=country,-event_id", "true", "country, event_id desc"),
        ("&sort=phone", "true", ""),
        ("&sort=-email", "true", ""),
        ("&country=DE", "country = 'DE'", ""),
        (
            "&country=DE&country=FR&sort=country",
            "country in ('DE', 'FR')",
            "",
        ),
        ("&country[in]=DE,FR", "country in ('DE', 'FR')", ""),
        ("&country[ne]=DE", "country is distinct from 'DE'", ""),
        (
            "&event_id[gte]=10&event_id[lt]=40&sort=-event_id",
            "event_id >= 10 and event_id < 40",
            "event_id desc",
        ),
        (
            "&event_id[gt]=10&event_id[lte]=40",
            "event_id > 10 and event_id <= 40",
            "",
        ),
        ("&phone[is_null]=true", "phone is null", ""),
        ("&phone[is_null]=false", "phone is not null", ""),
        ("&email[contains]=a", "strpos(email, 'a') > 0", ""),
        ("&email[starts_with]=an", "starts_with(email, 'an')", ""),
        ("&country=XX", "country = 'XX'", ""),
        (
            "&country=DE'%20or%20'1'='1",
            "country = 'DE'' or ''1''=''1'",
            "",
        ),
    ];
    for persona in ["ana", "four", "admin"] {
        for (query, condition, order) in cases {
            for limit in [1, 7, 1_000] {
                let fields = "event_id,country,phone,email";
                let path = format!(
                    "/api/v1/tables/marts/events/rows?limit={limit}&fields={fields}{query}"
                );
                let (mut rows, pages) = all(&house, persona, &path).await;
                let order = if order.is_empty() { "event_id" } else { order };
                let sql = format!(
                    "select event_id, country, phone, email from marts.events where {condition} \
                     order by {order}"
                );
                let mut expected = house.sql(&sql).as_(persona).send().await.rows();
                if !query.contains("sort=event_id") && !query.contains("sort=-event_id") {
                    let id = |row: &Value| row["event_id"].to_string();
                    rows.sort_by_key(id);
                    expected.sort_by_key(id);
                }
                assert_eq!(rows, expected, "{persona}: {path}");
                assert!(pages >= rows.len() / limit, "{persona}: {path}");
            }
        }
    }
}

#[tokio::test]
async fn rows_that_look_alike_come_as_often_as_they_are_there() {
    let house = House::new().await;
    // A view without a key: columns that many rows share.
    for persona in PERSONAS.into_iter().filter(|name| *name == "ana") {
        for sort in ["", "&sort=note", "&sort=-country", "&sort=n,note"] {
            let path = format!("/api/v1/tables/marts/person_view/rows?limit=1{sort}");
            let (rows, _) = all(&house, persona, &path).await;
            let sql = "select * from marts.person_view";
            let expected = house.sql(sql).as_(persona).send().await.rows();
            let count = |rows: &[Value]| {
                let mut counts: BTreeMap<String, usize> = BTreeMap::new();
                for row in rows {
                    *counts.entry(row.to_string()).or_default() += 1;
                }
                counts
            };
            assert!(!rows.is_empty());
            assert_eq!(count(&rows), count(&expected), "{sort}");
        }
    }
}

#[tokio::test]
async fn a_cursor_is_good_for_who_got_it_and_for_what() {
    let house = House::new().await;
    let path = "/api/v1/tables/marts/events/rows?limit=2&sort=country";
    let first = house.get(path).as_("ana").send().await.json();
    let cursor = first["cursor"].as_str().expect("a cursor");
    let with = |path: &str| format!("{path}&cursor={cursor}");
    assert_eq!(house.get(&with(path)).as_("ana").send().await.status, 200);
    // Another filter is another question, and goes on from the same place.
    let filtered = format!("{}&event_id[gte]=0", with(path));
    assert_eq!(house.get(&filtered).as_("ana").send().await.status, 200);
    assert_eq!(house.get(&with(path)).as_("four").send().await.status, 404);
    let sorted = path.replace("sort=country", "sort=-country");
    assert_eq!(
        house.get(&with(&sorted)).as_("ana").send().await.status,
        404
    );
    let other = "/api/v1/tables/marts/props/rows?limit=2&sort=country";
    assert_eq!(house.get(&with(other)).as_("ana").send().await.status, 404);
    let mut forged = cursor.to_owned();
    forged.replace_range(5..6, if &cursor[5..6] == "A" { "B" } else { "A" });
    let forged = format!("{path}&cursor={forged}");
    assert_eq!(house.get(&forged).as_("ana").send().await.status, 404);
}

#[tokio::test]
async fn names_are_never_spliced() {
    let house = House::new().await;
    let bad = [
        "sort=event_id%22%20desc--",
        "sort=(select%201)",
        "fields=event_id%22,%22salary",
        "fields=*",
        "%22country%22=DE",
        "country%22%20or%201=1--=x",
        "country%00=DE",
    ];
    for query in bad {
        let path = format!("/api/v1/tables/marts/events/rows?{query}");
        let answer = house.get(&path).as_("ana").send().await;
        assert!(
            [400, 404].contains(&answer.status.as_u16()),
            "{query}: {}",
            answer.text()
        );
        assert!(!answer.text().contains("CNRY"), "{query}");
    }
    for path in [
        "/api/v1/tables/marts%22/events/rows",
        "/api/v1/tables/marts/events%22;select/rows",
        "/api/v1/tables/secret/api_keys/rows",
        "/api/v1/tables/information_schema/tables/rows",
    ] {
        let answer = house.get(path).as_("ana").send().await;
        assert!(
            [200, 404].contains(&answer.status.as_u16()),
            "{path}: {}",
            answer.text()
        );
        assert!(!answer.text().contains("CNRY"), "{path}");
    }
}
