//! Projects for tests: files in a folder that goes away.

use super::{EmbeddedFiles, ModelFile, ModelFiles, Project, ProjectError};

pub(crate) struct Fixture {
    dir: tempfile::TempDir,
    builtin: Vec<ModelFile>,
}

impl ModelFiles for Fixture {
    fn files(&self) -> Result<Vec<ModelFile>, ProjectError> {
        Ok(self.builtin.clone())
    }
}

/// A project of these files, `throughline.yml` among them, without built-in models.
pub(crate) fn fixture(files: &[(&str, &str)]) -> Fixture {
    Fixture::new(&[], files)
}

impl Fixture {
    pub(crate) fn new(builtin: &[(&str, &str)], files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().expect("tempdir");
        for (path, text) in files {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().expect("parent")).expect("folder");
            std::fs::write(path, text).expect("file");
        }
        let file = |(path, text): &(&str, &str)| ModelFile {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        };
        Self {
            dir,
            builtin: builtin.iter().map(file).collect(),
        }
    }

    pub(crate) fn load(&self) -> Result<Project, ProjectError> {
        let text = std::fs::read_to_string(self.dir.path().join("throughline.yml")).expect("yml");
        let config = serde_yaml_ng::from_str(&text).expect("throughline.yml");
        Project::load(self.dir.path(), config, self)
    }

    pub(crate) fn project(&self) -> Project {
        match self.load() {
            Ok(project) => project,
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) fn error(&self) -> String {
        self.load().expect_err("no error").to_string()
    }
}

#[test]
fn embedded_files_are_sorted() {
    let files = EmbeddedFiles(&[("models/b.sql", "b"), ("models/a.sql", "a")]).files();
    let paths: Vec<String> = files
        .expect("files")
        .into_iter()
        .map(|file| file.path)
        .collect();
    assert_eq!(paths, ["models/a.sql", "models/b.sql"]);
}
