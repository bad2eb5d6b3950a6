//! What is wrong with the body of a dashboard, after CloudWatch's "Dashboard body structure and syntax".
//!
//! A body is held against what every widget must have to be drawn. What else a widget says is its reader's, and is kept.

use serde_json::{Map, Value};

/// A fault, and where in the body it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// A JSON pointer.
    pub path: String,
    /// AWS's words.
    pub message: String,
}

/// The longest body in bytes.
const BYTES_MAX: usize = 1 << 20;
/// Widgets of a dashboard.
const WIDGETS_MAX: usize = 500;
/// Faults that are told of.
const FAULTS_MAX: usize = 100;
/// The columns of a dashboard.
const COLUMNS: u64 = 24;
/// The greatest height of a widget.
const HEIGHT_MAX: u64 = 1000;
const METRICS: &str = "Field \"metrics\" has to be an array of array of strings, with an optional metricRenderer object as last \
                       element";

/// The faults of a body.
///
/// # Errors
/// It is no JSON object, or too long, in words for its client.
pub(crate) fn faults(body: &str) -> Result<Vec<Fault>, String> {
    if body.len() > BYTES_MAX {
        return Err(format!(
            "The field DashboardBody must not have more than {BYTES_MAX} bytes"
        ));
    }
    let Ok(Value::Object(body)) = serde_json::from_str(body) else {
        return Err("The field DashboardBody must be a valid JSON object".to_owned());
    };
    let mut faults = Faults::default();
    faults.body(&body);
    faults.found.truncate(FAULTS_MAX);
    Ok(faults.found)
}

#[derive(Default)]
struct Faults {
    found: Vec<Fault>,
}

impl Faults {
    fn add(&mut self, path: &str, message: impl Into<String>) {
        self.found.push(Fault {
            path: path.to_owned(),
            message: message.into(),
        });
    }

    fn body(&mut self, body: &Map<String, Value>) {
        match body.get("widgets") {
            None => self.add("", lacks("widgets")),
            Some(Value::Array(widgets)) if widgets.len() > WIDGETS_MAX => {
                self.add(
                    "/widgets",
                    format!("Should NOT have more than {WIDGETS_MAX} items"),
                );
            }
            Some(Value::Array(widgets)) => {
                for (at, widget) in widgets.iter().enumerate() {
                    self.widget(&format!("/widgets/{at}"), widget);
                }
            }
            Some(_) => self.add("/widgets", "Should be array"),
        }
    }

    fn widget(&mut self, path: &str, widget: &Value) {
        let Some(widget) = widget.as_object() else {
            return self.add(path, "Should be object");
        };
        for (name, least, most) in [
            ("x", 0, COLUMNS - 1),
            ("y", 0, u64::MAX),
            ("width", 1, COLUMNS),
            ("height", 1, HEIGHT_MAX),
        ] {
            if let Some(value) = widget.get(name) {
                self.whole(&format!("{path}/{name}"), value, least, most);
            }
        }
        let kind = match widget.get("type") {
            None => return self.add(path, lacks("type")),
            Some(kind) => kind.as_str().unwrap_or_default(),
        };
        let properties = match widget.get("properties") {
            None => return self.add(path, lacks("properties")),
            Some(properties) => properties,
        };
        let path = &format!("{path}/properties");
        match (kind, properties.as_object()) {
            (_, None) => self.add(path, "Should be object"),
            ("metric", Some(properties)) => self.metric(path, properties),
            ("text", Some(properties)) => self.text(path, properties, "markdown"),
            ("log", Some(properties)) => self.text(path, properties, "query"),
            ("alarm", Some(properties)) => match properties.get("alarms") {
                None => self.add(path, lacks("alarms")),
                Some(Value::Array(_)) => {}
                Some(_) => self.add(&format!("{path}/alarms"), "Should be array"),
            },
            ("explorer" | "custom", Some(_)) => {}
            _ => {
                let path = path.trim_end_matches("/properties");
                self.add(
                    &format!("{path}/type"),
                    "Should be equal to one of the allowed values",
                );
            }
        }
    }

    fn whole(&mut self, path: &str, value: &Value, least: u64, most: u64) {
        match value.as_u64() {
            None if value.is_number() => self.add(path, format!("Should be >= {least}")),
            None => self.add(path, "Should be integer"),
            Some(value) if value < least => self.add(path, format!("Should be >= {least}")),
            Some(value) if value > most => self.add(path, format!("Should be <= {most}")),
            Some(_) => {}
        }
    }

    fn text(&mut self, path: &str, properties: &Map<String, Value>, name: &str) {
        match properties.get(name) {
            None => self.add(path, lacks(name)),
            Some(Value::String(_)) => {}
            Some(_) => self.add(&format!("{path}/{name}"), "Should be string"),
        }
    }

    /// A widget that draws metrics, or an alarm in its annotations.
    fn metric(&mut self, path: &str, properties: &Map<String, Value>) {
        match properties.get("metrics") {
            None if properties.contains_key("annotations") => {}
            None => self.add(path, lacks("metrics")),
            Some(Value::Array(metrics)) => {
                for (at, metric) in metrics.iter().enumerate() {
                    self.metric_of_array(&format!("{path}/metrics/{at}"), metric);
                }
            }
            Some(_) => self.add(&format!("{path}/metrics"), "Should be array"),
        }
        self.text(path, properties, "region");
    }

    fn metric_of_array(&mut self, path: &str, metric: &Value) {
        let Some(parts) = metric.as_array() else {
            self.add(path, "Should be array");
            return self.add(path, METRICS);
        };
        let last = parts.len().saturating_sub(1);
        let fits = |(at, part): (usize, &Value)| part.is_string() || at == last && part.is_object();
        if parts.is_empty() || !parts.iter().enumerate().all(fits) {
            self.add(path, METRICS);
        }
    }
}

/// AWS's words for a member that is not there.
fn lacks(name: &str) -> String {
    format!("Should have required property '{name}'")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn of(widget: Value) -> Vec<(String, String)> {
        let body = json!({"widgets": [widget]}).to_string();
        let found = faults(&body).unwrap().into_iter();
        found.map(|fault| (fault.path, fault.message)).collect()
    }

    fn fault(path: &str, message: &str) -> (String, String) {
        (format!("/widgets/0{path}"), message.to_owned())
    }

    #[test]
    fn widgets_that_are_drawn_have_no_faults() {
        let region = "us-east-1";
        let renderer = json!({"stat": "p99"});
        for widget in [
            json!({"type": "metric", "x": 0, "y": 70, "width": 24, "height": 6, "properties":
                {"metrics": [["N", "m", "D", "d"], ["N", "m", renderer], [{"expression": "m1"}]], "region": region}}),
            json!({"type": "metric", "properties": {"annotations": {"alarms": ["arn"]}, "region": region}}),
            json!({"type": "text", "properties": {"markdown": "# a"}}),
            json!({"type": "log", "properties": {"query": "SOURCE 'a'", "region": region}}),
            json!({"type": "alarm", "properties": {"alarms": []}}),
            json!({"type": "explorer", "properties": {}}),
        ] {
            assert_eq!(of(widget.clone()), [], "{widget}");
        }
    }

    #[test]
    fn faults_say_where_they_are() {
        let metric = |metrics: Value| json!({"type": "metric", "properties": {"metrics": metrics, "region": "r"}});
        for (widget, expected) in [
            (json!(1), vec![fault("", "Should be object")]),
            (json!({"properties": {}}), vec![fault("", &lacks("type"))]),
            (
                json!({"type": "text"}),
                vec![fault("", &lacks("properties"))],
            ),
            (
                json!({"type": "none", "properties": {}}),
                vec![fault(
                    "/type",
                    "Should be equal to one of the allowed values",
                )],
            ),
            (
                json!({"type": "text", "x": 24, "width": 0, "y": -1, "properties": {"markdown": 1}}),
                vec![
                    fault("/x", "Should be <= 23"),
                    fault("/y", "Should be >= 0"),
                    fault("/width", "Should be >= 1"),
                    fault("/properties/markdown", "Should be string"),
                ],
            ),
            (
                metric(json!(["N", ["N", 1]])),
                vec![
                    fault("/properties/metrics/0", "Should be array"),
                    fault("/properties/metrics/0", METRICS),
                    fault("/properties/metrics/1", METRICS),
                ],
            ),
        ] {
            assert_eq!(of(widget.clone()), expected, "{widget}");
        }
        let no_object = "The field DashboardBody must be a valid JSON object";
        assert_eq!(faults("[]"), Err(no_object.to_owned()));
        assert!(faults(&" ".repeat(BYTES_MAX + 1)).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_a_body_or_not(text in "\\PC{0,80}") {
            drop(faults(&text));
        }
    }
}
