//! A guide followed to the letter: its files are taken from its code blocks.

use crate::Project;

/// Writes what a guide says into a project: each `sql` block to the file that is named before it,
/// and the first `yaml` block over `throughline.yml`.
pub fn write_guide(project: &Project, guide: &str) {
    let path = crate::repository().join("docs/guides").join(guide);
    let text = std::fs::read_to_string(&path).expect("the guide");
    let (mut file, mut block, mut language) = (None::<String>, String::new(), None::<String>);
    let mut settings_written = false;
    for line in text.lines() {
        if let Some(kind) = &language {
            if line.trim() != "```" {
                block.push_str(line);
                block.push('\n');
                continue;
            }
            if kind == "sql"
                && let Some(name) = file.take()
            {
                project.write(&name, &block);
            }
            if kind == "yaml" && !settings_written {
                project.set(&block);
                settings_written = true;
            }
            language = None;
            continue;
        }
        if let Some(kind) = line.trim().strip_prefix("```") {
            language = Some(kind.to_owned());
            block.clear();
            continue;
        }
        for part in line.split('`') {
            if part.starts_with("models/") && part.ends_with(".sql") {
                file = Some(part.to_owned());
            }
        }
    }
}
