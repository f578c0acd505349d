//! A home whose tasks copy rows from one database to another: runs without a provider.

use std::path::PathBuf;

use tailorbird_app::{AddDatabase, App};
use tailorbird_model::Name;
use tailorbird_model::database::DatabaseKind;
use tempfile::TempDir;

pub(crate) struct House {
    folder: TempDir,
    pub(crate) app: App,
}

pub(crate) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

impl House {
    /// With the databases `erp` (a table `products` of so many rows) and `shop` (an empty table `copies`).
    pub(crate) async fn new(products: i64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (app, _) = App::create(&folder.path().join("home")).unwrap();
        let house = Self { folder, app };
        house
            .database("erp")
            .execute_batch("create table products (sku text primary key, name text)")
            .unwrap();
        house
            .database("shop")
            .execute_batch("create table copies (sku text, task text, name text, primary key (sku, task))")
            .unwrap();
        let rows = "with recursive n(i) as (select 1 union all select i + 1 from n where i < ?1)
                    insert into products select 'S' || i, 'Thing ' || i from n";
        if products > 0 {
            house.database("erp").execute(rows, [products]).unwrap();
        }
        for database in ["erp", "shop"] {
            let add = AddDatabase {
                name: name(database),
                kind: Some(DatabaseKind::Sqlite),
                settings: vec![("path".to_owned(), house.path(database).display().to_string())],
                writable: Some(database == "shop"),
            };
            house.app.add_database(add).await.unwrap();
        }
        house
    }

    /// The same home as another process sees it.
    pub(crate) fn another(&self) -> App {
        App::open(&self.folder.path().join("home")).unwrap()
    }

    fn path(&self, database: &str) -> PathBuf {
        self.folder.path().join(format!("{database}.db"))
    }

    /// A database, past the program.
    pub(crate) fn database(&self, database: &str) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path(database)).unwrap()
    }

    /// Takes in tasks that copy all products.
    pub(crate) async fn copying(&self, tasks: &[&str]) {
        for task in tasks {
            let yaml = format!(
                "task: {task}\nsteps:\n  - id: rows\n    query: {{ database: erp, sql: \"select sku, name from products\" }}\n  \
                 - id: copy\n    write: {{ database: shop, table: copies, from: rows, key: [sku, task], \
                 columns: {{ sku: \"{{{{ sku }}}}\", task: {task}, name: \"{{{{ name }}}}\" }} }}\n"
            );
            self.apply(&yaml).await;
        }
    }

    pub(crate) async fn apply(&self, yaml: &str) {
        let files = [("t.yaml".to_owned(), yaml.to_owned())];
        self.app.apply_tasks(&files, false).await.unwrap();
    }

    /// How many rows a task has copied.
    pub(crate) fn copies(&self, task: &str) -> i64 {
        let count = "select count(*) from copies where task = ?1";
        self.database("shop")
            .query_row(count, [task], |row| row.get(0))
            .unwrap()
    }
}
