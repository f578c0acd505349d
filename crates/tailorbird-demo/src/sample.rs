//! The sample ERP and CRM: deterministic, believable, a few thousand rows.

use std::path::Path;

use rusqlite::{Connection, Transaction, params};
use tailorbird_app::AppError;
use tailorbird_model::{Failure, Meaning, codes};

use crate::sample_words::{ADJECTIVES, CITIES, FIRST_NAMES, GOODS, LAST_NAMES, MATERIALS};
use crate::stages::Files;

const CUSTOMERS: u32 = 600;
const ORDERS: u32 = 2_400;
/// Products that were published long ago and are not announced.
const OLD_PRODUCTS: u32 = 300;
/// Products that are not published yet.
const DRAFTS: u32 = 40;

const ERP: &str = "
    create table products (
        sku text primary key, name text not null, category text not null, price decimal(10, 2) not null,
        currency text not null, stock integer not null, published integer not null, published_on date
    );
    create table product_posts (
        sku text primary key references products (sku), post_id text not null, post_url text not null,
        posted_at text not null
    );
    create table customers (
        id integer primary key, name text not null, email text not null, city text not null, country text not null
    );
    create table orders (
        id integer primary key, customer_id integer not null references customers (id),
        sku text not null references products (sku), quantity integer not null, unit_price decimal(10, 2) not null,
        ordered_on date not null, status text not null
    );
    create index orders_customer on orders (customer_id);
";

const CRM: &str = "
    create table mentions (id text primary key, author_id text, text text not null, created_at text not null);
    create table post_metrics (
        post_id text primary key, text text not null, created_at text not null, likes integer not null,
        replies integer not null, reposts integer not null, impressions integer not null
    );
";

/// Makes both databases where they are not there yet, and makes sure that there are as many newly published
/// products as wanted. Says what it did.
pub(crate) fn make(files: &Files, new_products: u32) -> Result<String, AppError> {
    let failed = |error: rusqlite::Error| {
        AppError::from(
            Failure::new(
                codes::DATABASE_MISSING,
                Meaning::NotSent,
                format!("could not make the sample databases: {error}"),
            )
            .hint("Check that the disk has room and that the home folder is writable."),
        )
    };
    let fresh = !files.erp.exists();
    fill(&files.erp, ERP, |transaction| {
        if fresh {
            products(transaction, 0..OLD_PRODUCTS, Published::Before)?;
            products(transaction, OLD_PRODUCTS..OLD_PRODUCTS + DRAFTS, Published::Not)?;
            customers(transaction)?;
            orders(transaction)?;
        }
        let there: u32 = transaction.query_row(
            "select count(*) from products where published = 1 and published_on >= '2026-11-16'",
            [],
            |row| row.get(0),
        )?;
        let first = OLD_PRODUCTS + DRAFTS;
        products(
            transaction,
            first + there..first + new_products.max(there),
            Published::Newly,
        )
    })
    .map_err(failed)?;
    fill(&files.crm, CRM, |_| Ok(())).map_err(failed)?;
    let total = u64::from(OLD_PRODUCTS + DRAFTS + new_products + CUSTOMERS + ORDERS);
    Ok(if fresh {
        format!(
            "{total} rows in {}; {new_products} products newly published",
            files.erp.display()
        )
    } else {
        format!("the sample of an earlier demo is there: {}", files.erp.display())
    })
}

/// Runs a script on a database that has no tables yet, then the rest, in one transaction each.
fn fill(
    path: &Path,
    script: &str,
    rest: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let mut connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    let tables: i64 = connection.query_row(
        "select count(*) from sqlite_schema where type = 'table'",
        [],
        |row| row.get(0),
    )?;
    let transaction = connection.transaction()?;
    if tables == 0 {
        transaction.execute_batch(script)?;
    }
    rest(&transaction)?;
    transaction.commit()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Published {
    Before,
    Not,
    Newly,
}

/// A word of a list, chosen by a number; numbers far apart choose independently.
fn pick<'w>(words: &[&'w str], number: u32) -> &'w str {
    let count = u32::try_from(words.len()).unwrap_or(1).max(1);
    words
        .get(usize::try_from(number % count).unwrap_or_default())
        .copied()
        .unwrap_or_default()
}

/// Spreads a counter over all 32 bits, so that neighbouring rows look unlike (the constants are those of a
/// common integer hash finaliser; nothing depends on its quality).
fn spread(number: u32) -> u32 {
    let mut x = number.wrapping_add(0x9E37_79B9);
    x = (x ^ (x >> 16)).wrapping_mul(0x85EB_CA6B);
    x = (x ^ (x >> 13)).wrapping_mul(0xC2B2_AE35);
    x ^ (x >> 16)
}

fn products(
    transaction: &Transaction<'_>,
    numbers: std::ops::Range<u32>,
    published: Published,
) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare(
        "insert into products (sku, name, category, price, currency, stock, published, published_on)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) on conflict (sku) do nothing",
    )?;
    for number in numbers {
        let chance = spread(number);
        let (goods, category) = GOODS
            .get(usize::try_from(chance % 24).unwrap_or_default())
            .copied()
            .unwrap_or(("Kettle", "Kitchen"));
        let name = format!(
            "{} {} {}",
            pick(ADJECTIVES, chance >> 5),
            pick(MATERIALS, chance >> 11),
            goods
        );
        let price = format!(
            "{}.{}",
            5 + chance % 240,
            pick(&["00", "50", "90", "95", "99"], chance >> 17)
        );
        let day = 1 + chance % 28;
        let published_on = match published {
            Published::Before => Some(format!("2026-{:02}-{day:02}", 1 + chance % 9)),
            Published::Not => None,
            Published::Newly => Some(format!("2026-11-{:02}", 16 + chance % 7)),
        };
        insert.execute(params![
            format!(
                "{}-{:05}",
                goods.get(..3).unwrap_or("GEN").to_uppercase(),
                10_000 + number
            ),
            name,
            category,
            price,
            pick(&["EUR", "GBP", "EUR", "USD", "CHF"], chance >> 21),
            chance % 400,
            i32::from(published != Published::Not),
            published_on,
        ])?;
    }
    Ok(())
}

fn customers(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut insert = transaction
        .prepare("insert into customers (id, name, email, city, country) values (?1, ?2, ?3, ?4, ?5)")?;
    for number in 1..=CUSTOMERS {
        let chance = spread(number.wrapping_mul(7_919));
        let (first, last) = (pick(FIRST_NAMES, chance), pick(LAST_NAMES, chance >> 9));
        let (city, country) = CITIES
            .get(usize::try_from(chance % 20).unwrap_or_default())
            .copied()
            .unwrap_or(("Poole", "GB"));
        let email = format!(
            "{}.{}{number}@example.com",
            first.to_lowercase(),
            last.to_lowercase().replace(['\'', ' '], "")
        );
        insert.execute(params![number, format!("{first} {last}"), email, city, country])?;
    }
    Ok(())
}

fn orders(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare(
        "insert into orders (id, customer_id, sku, quantity, unit_price, ordered_on, status)
         select ?1, ?2, sku, ?4, price, ?5, ?6 from products order by sku limit 1 offset ?3",
    )?;
    for number in 1..=ORDERS {
        let chance = spread(number.wrapping_mul(104_729));
        insert.execute(params![
            100_000 + number,
            1 + chance % CUSTOMERS,
            (chance >> 8) % OLD_PRODUCTS,
            1 + (chance >> 4) % 6,
            format!("2026-{:02}-{:02}", 1 + (chance >> 6) % 11, 1 + chance % 28),
            pick(&["shipped", "shipped", "paid", "open", "returned"], chance >> 13),
        ])?;
    }
    Ok(())
}
