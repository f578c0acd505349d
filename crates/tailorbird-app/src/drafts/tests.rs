use tailorbird_model::task::check;

use super::*;

#[test]
fn every_template_is_a_task_without_a_problem_of_its_own() {
    for template in TEMPLATES {
        let (found, problems) = check::read(template.yaml, None);
        assert_eq!(problems, [], "{}", template.name);
        assert_eq!(found.len(), 1, "{}", template.name);
    }
    let mut names: Vec<&str> = TEMPLATES.iter().map(|template| template.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), TEMPLATES.len());
}

#[test]
fn a_comparison_tells_what_changed_with_what_stands_around_it() {
    let before: Vec<String> = (1..=30).map(|number| format!("line {number}\n")).collect();
    let before = before.concat();
    let after = before.replace("line 4\n", "line four\n").replace("line 28\n", "");
    let told: Vec<String> = compare(&before, &after)
        .iter()
        .map(|line| format!("{}{}", line.sign, line.text))
        .collect();
    assert_eq!(
        told,
        [
            " line 1",
            " line 2",
            " line 3",
            "-line 4",
            "+line four",
            " line 5",
            " line 6",
            " line 7",
            "…",
            " line 25",
            " line 26",
            " line 27",
            "-line 28",
            " line 29",
            " line 30"
        ]
    );
    assert_eq!(compare(&before, &before), []);
    let all_new = "x\n".repeat(MAX_DIFF_LINES + 10);
    assert_eq!(compare("", &all_new).len(), MAX_DIFF_LINES + 1, "bounded");
}
