//! `access.yml` is read, and what is wrong in it is told.

use std::sync::Arc;

use super::rights::Seen;
use super::{ADMIN, Mask, Policy, Rights};
use crate::access::principal::Principal;
use crate::access::tags::{Tag, Tags};

fn wrong(text: &str) -> String {
    Policy::parse(text).expect_err("no error").to_string()
}

fn seen<'a>(columns: &[(&'a str, &str)]) -> Vec<Seen<'a>> {
    let column = |(name, tag): &(&'a str, &str)| Seen {
        name,
        tags: match *tag {
            "" => Tags::new(),
            tag => [Tag::parse(tag)].into(),
        },
    };
    columns.iter().map(column).collect()
}

/// The places of the columns that are visible, and their masks.
fn visible(policy: &Policy, roles: &[&str], table: &str, columns: &[(&str, &str)]) -> String {
    let mut principal = Principal::user("ana", []);
    principal.roles = roles.iter().map(|role| (*role).to_owned()).collect();
    let rights = Rights::of(policy, Arc::new(principal));
    let (schema, table) = table.split_once('.').expect("a schema");
    match rights.table(schema, table, &seen(columns)) {
        None => "nothing".to_owned(),
        Some(rights) => {
            let each = rights.columns.iter().map(|column| {
                let mask = match &column.mask {
                    None => "",
                    Some(Mask::Null) => " null",
                    Some(Mask::Hash { .. }) => " hash",
                    Some(Mask::LastFour) => " last_four",
                    Some(Mask::Sql(_)) => " sql",
                };
                format!("{}{mask}", columns[column.index].0)
            });
            each.collect::<Vec<_>>().join(", ")
        }
    }
}

#[test]
fn the_built_in_roles_are_safe() {
    let policy = Policy::built_in();
    let roles: Vec<&str> = policy.roles().into_iter().map(|(name, _)| name).collect();
    assert_eq!(roles, [ADMIN, "analyst", "marketer", "viewer"]);
    let columns = [
        ("order_id", ""),
        ("email_hash", "pii: email_hash"),
        ("properties", "unchecked"),
    ];
    let shown = |role: &str, table: &str| visible(&policy, &[role], table, &columns);
    for table in [
        "raw.x",
        "quarantine.x",
        "staged.x",
        "cleansing.x",
        "parts.x",
        "ops.x",
    ] {
        for role in ["analyst", "marketer", "viewer"] {
            assert_eq!(shown(role, table), "nothing", "{role} {table}");
        }
        assert_eq!(shown(ADMIN, table), "order_id, email_hash, properties");
    }
    assert_eq!(shown("analyst", "silver.order"), "order_id");
    assert_eq!(shown("analyst", "silver.stg_shop__orders"), "nothing");
    assert_eq!(shown("analyst", "star.fct_order"), "order_id");
    assert_eq!(shown("marketer", "star.fct_order"), "nothing");
    assert_eq!(shown("marketer", "star.dim_campaign"), "order_id");
    assert_eq!(shown("viewer", "marts.mart_x"), "order_id");
    assert_eq!(shown("viewer", "star.dim_campaign"), "nothing");
    assert_eq!(shown("unknown", "marts.mart_x"), "nothing");
    assert_eq!(visible(&policy, &[], "marts.mart_x", &columns), "nothing");
}

#[test]
fn grants_add_up_and_denials_win() {
    let policy = Policy::parse(
        "roles:
  one: {grants: [{table: marts.a, columns: [x, y]}]}
  two: {grants: [{table: marts.*, columns: [z, w_*]}], deny: [{columns: y}]}
  both: {includes: [one, two]}
policies:
  deny: [{table: marts.a, columns: w_secret, except: [admin]}]
groups: {g: [one]}
",
    )
    .expect("a policy");
    let columns = [
        ("x", ""),
        ("y", ""),
        ("z", ""),
        ("w_1", ""),
        ("w_secret", ""),
        ("q", ""),
    ];
    let shown = |roles: &[&str]| visible(&policy, roles, "marts.a", &columns);
    assert_eq!(shown(&["one"]), "x, y");
    assert_eq!(shown(&["two"]), "z, w_1");
    assert_eq!(shown(&["one", "two"]), "x, z, w_1");
    assert_eq!(shown(&["both"]), "x, z, w_1");
    assert_eq!(shown(&[ADMIN, "two"]), "x, y, z, w_1, w_secret, q");
    let groups = ["g".to_owned()].into();
    assert_eq!(policy.roles_of_groups(&groups), ["one".to_owned()].into());
}

#[test]
fn the_first_mask_of_a_list_counts_and_lists_must_agree() {
    let policy = Policy::parse(
        "roles:
  one:
    grants: [{schema: marts}]
    masks: [{columns: email, mask: last_four}, {tag: pii, mask: hash}]
  two:
    grants: [{schema: marts}]
    masks: [{tag: {pii: email}, mask: hash}]
  free: {grants: [{schema: marts}]}
policies:
  masks: [{columns: phone, mask: null, except: [free]}]
",
    )
    .expect("a policy");
    let columns = [("email", "pii: email"), ("phone", "pii: phone"), ("x", "")];
    let shown = |roles: &[&str]| visible(&policy, roles, "marts.a", &columns);
    assert_eq!(shown(&["one"]), "email last_four, phone null, x");
    assert_eq!(shown(&["two"]), "email hash, phone null, x");
    assert_eq!(shown(&["one", "two"]), "email null, phone null, x");
    assert_eq!(shown(&["free"]), "email, phone, x");
    assert_eq!(shown(&["free", "two"]), "email hash, phone, x");
}

#[test]
fn own_schemas_are_those_of_the_roles() {
    let policy = Policy::parse(
        "roles:
  modeller: {own_schemas: [dbt, \"dbt_{{ user.name }}\", \"x_*\"]}
  team: {includes: modeller}
  viewer: {grants: [{schema: marts}]}
",
    )
    .expect("a policy");
    let may = |roles: &[&str], schema: &str| {
        let mut principal = Principal::user("ana", []);
        principal.roles = roles.iter().map(|role| (*role).to_owned()).collect();
        Rights::of(&policy, Arc::new(principal)).may_write(schema)
    };
    for schema in ["dbt", "dbt_ana", "x_1"] {
        assert!(may(&["team"], schema), "{schema}");
        assert!(!may(&["viewer"], schema), "{schema}");
        assert!(may(&[ADMIN], schema), "{schema}");
    }
    for schema in [
        "dbt_bo",
        "marts",
        "pg_catalog",
        "DBT",
        "metrics",
        "ops",
        "own",
    ] {
        assert!(!may(&["team"], schema), "{schema}");
    }
    for schema in ["marts", "pg_temp", "information_schema", "work_x", "raw"] {
        assert!(!may(&[ADMIN], schema), "{schema}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let text = wrong("roles:\n  a:\n    grant: [{schema: marts}]\n");
    assert!(
        text.contains("access.yml:3") && text.contains("grants"),
        "{text}"
    );
    let text = wrong("roles:\n  a:\n    grants: [{schema: raw}]\n");
    assert!(
        text.contains("`raw` cannot be granted") && text.contains("hint"),
        "{text}"
    );
    let text = wrong("roles:\n  a:\n    grants: [{table: fct_order}]\n");
    assert!(text.contains("`fct_order` is no table"), "{text}");
    let text = wrong("roles:\n  admin: {}\n");
    assert!(text.contains("`admin` cannot be described"), "{text}");
    let text = wrong("roles:\n  a: {includes: [analist]}\n");
    assert!(
        text.contains("no role `analist`") && text.contains("analyst"),
        "{text}"
    );
    let text = wrong("roles:\n  a:\n    masks: [{columns: x, mask: hsah}]\n");
    assert!(
        text.contains("no mask `hsah`") && text.contains("hash"),
        "{text}"
    );
    let text = wrong(
        "roles:\n  a:\n    row_filters:\n      - table: a.b\n        where: x = '{{ user.y }}'\n",
    );
    assert!(
        text.contains("access.yml:5") && text.contains("without quotes"),
        "{text}"
    );
    let text = wrong("roles:\n  a: {own_schemas: [dbt, marts]}\n");
    assert!(
        text.contains("`marts` cannot be an own schema") && text.contains("access.yml:2"),
        "{text}"
    );
    let text = wrong("roles:\n  a: {own_schemas: \"dbt_{{ user.team }}\"}\n");
    assert!(text.contains("`{{ user.team }}` is not known"), "{text}");
    let text = wrong("policies:\n  deny: [{except: [admin]}]\n");
    assert!(text.contains("a denial says of nothing"), "{text}");
    let text = wrong("groups: {g: [nobody]}\n");
    assert!(text.contains("no role `nobody`"), "{text}");
    let text = wrong("version: 2\n");
    assert!(text.contains("format 2"), "{text}");
    let text = wrong("roles: [\n");
    assert!(text.contains("cannot be understood"), "{text}");
}
