//! The processors of a destination: which there may be, what each needs, and the steps that they make.
//!
//! The order of steps is AWS's, however processors are listed: unpacking, taking apart, the function, partition keys,
//! delimiters. Texts are AWS's where other projects recorded them.

mod lambda;

use base64::{Engine, engine::general_purpose::STANDARD};
use headwater_delivery::{Deaggregation, Query, QueryError, Step};
use headwater_shapes_firehose::{ProcessingConfiguration, Processor, ProcessorParameter};
use headwater_wire::ApiError;

use crate::errors::invalid_argument;

const PROCESSORS_MAX: usize = 5;

/// Processors in the order in which their steps are taken.
const ORDER: [&str; 6] = [
    "Decompression",
    "CloudWatchLogProcessing",
    "RecordDeAggregation",
    "Lambda",
    "MetadataExtraction",
    "AppendDelimiterToRecord",
];

/// The configuration as it is described, with all defaults, and the steps that are taken.
pub(crate) fn normalize(
    given: Option<ProcessingConfiguration>,
    role: &str,
    is_partitioned: bool,
) -> Result<(Option<ProcessingConfiguration>, Vec<Step>), ApiError> {
    let Some(given) = given else {
        return Ok((None, Vec::new()));
    };
    let ProcessingConfiguration {
        enabled,
        processors,
    } = given;
    let enabled = enabled.unwrap_or(false);
    let processors = processors.unwrap_or_default();
    if enabled && !(1..=PROCESSORS_MAX).contains(&processors.len()) {
        return Err(invalid_argument(
            "A maximum of 5 and a minimum of 1 processor needs to be supplied when processing is enabled.",
        ));
    }
    check_together(&processors, is_partitioned)?;
    let read = processors
        .into_iter()
        .map(|processor| Ok((place(&processor)?, read(processor, role)?)));
    let mut read: Vec<(usize, (Processor, Step))> = read.collect::<Result<_, ApiError>>()?;
    let described = read
        .iter()
        .map(|(_, (processor, _))| processor.clone())
        .collect();
    let described = ProcessingConfiguration {
        enabled: Some(enabled),
        processors: Some(described),
    };
    read.sort_by_key(|(place, _)| *place);
    let steps = read
        .into_iter()
        .map(|(_, (_, step))| step)
        .filter(|_| enabled)
        .collect();
    Ok((Some(described), steps))
}

fn place(processor: &Processor) -> Result<usize, ApiError> {
    let place = ORDER.iter().position(|name| *name == processor.r#type);
    place.ok_or_else(|| ApiError::not_supported(format_args!("the {} processor", processor.r#type)))
}

/// Which processors may stand beside which.
fn check_together(processors: &[Processor], is_partitioned: bool) -> Result<(), ApiError> {
    let count = |name: &str| {
        processors
            .iter()
            .filter(|processor| processor.r#type == name)
            .count()
    };
    if let Some(name) = ORDER.iter().find(|name| count(name) > 1) {
        return Err(invalid_argument(format!(
            "Cannot have more than 1 {name} processor"
        )));
    }
    for name in ["MetadataExtraction", "RecordDeAggregation"] {
        if !is_partitioned && count(name) > 0 {
            return Err(invalid_argument(format!(
                "class com.amazonaws.services.firehose.internal.model.{name}Processor can only be present when \
                 Dynamic Partitioning is enabled."
            )));
        }
    }
    if count("CloudWatchLogProcessing") > 0 && count("Decompression") == 0 {
        return Err(invalid_argument(
            "CloudWatchLogProcessingProcessor can only be enabled with DecompressionProcessor",
        ));
    }
    if is_partitioned && count("MetadataExtraction") + count("Lambda") == 0 {
        return Err(invalid_argument(
            "A MetadataExtraction or a Lambda processor must be present when Dynamic Partitioning is enabled.",
        ));
    }
    Ok(())
}

/// A processor as it is described, and its step.
fn read(processor: Processor, role: &str) -> Result<(Processor, Step), ApiError> {
    let parameters = Parameters::of(&processor);
    let step = match parameters.kind {
        "Lambda" => return lambda::read(&parameters, role),
        "Decompression" => decompression(&parameters)?,
        "CloudWatchLogProcessing" => log_processing(&parameters)?,
        "RecordDeAggregation" => deaggregation(&parameters)?,
        "MetadataExtraction" => metadata_extraction(&parameters)?,
        _ => append_delimiter(&parameters)?,
    };
    Ok((processor, step))
}

fn decompression(given: &Parameters<'_>) -> Result<Step, ApiError> {
    given.allow(&["CompressionFormat"])?;
    match given.value("CompressionFormat") {
        Some("GZIP") => Ok(Step::Decompress),
        _ => Err(invalid_argument("CompressionFormat has to be one of GZIP")),
    }
}

fn log_processing(given: &Parameters<'_>) -> Result<Step, ApiError> {
    given.allow(&["DataMessageExtraction"])?;
    match given.value("DataMessageExtraction") {
        Some("true") => Ok(Step::LogEvents),
        _ => Err(invalid_argument(
            "DataMessageExtraction has to be one of true",
        )),
    }
}

fn deaggregation(given: &Parameters<'_>) -> Result<Step, ApiError> {
    given.allow(&["SubRecordType", "Delimiter"])?;
    match (given.value("SubRecordType"), given.value("Delimiter")) {
        (Some("JSON"), _) => Ok(Step::Deaggregate(Deaggregation::Json)),
        (Some("DELIMITED"), None) => Err(invalid_argument(
            "Delimiter should be present for DELIMITED",
        )),
        (Some("DELIMITED"), Some(text)) => {
            let delimiter = STANDARD
                .decode(text)
                .ok()
                .filter(|delimiter| !delimiter.is_empty());
            let delimiter =
                delimiter.ok_or_else(|| invalid_argument("Delimiter should be Base64 encoded"))?;
            Ok(Step::Deaggregate(Deaggregation::Delimited(
                delimiter.into(),
            )))
        }
        _ => Err(invalid_argument(
            "SubRecordType has to be one of JSON, DELIMITED",
        )),
    }
}

fn metadata_extraction(given: &Parameters<'_>) -> Result<Step, ApiError> {
    given.allow(&["MetadataExtractionQuery", "JsonParsingEngine"])?;
    if given.value("JsonParsingEngine") != Some("JQ-1.6") {
        return Err(invalid_argument(
            "MetaDataExtraction JSON Parsing Engine has to be one of JQ-1.6",
        ));
    }
    let query = given.value("MetadataExtractionQuery").unwrap_or_default();
    match Query::compile(query) {
        Ok(_) if !query.trim().is_empty() => Ok(Step::Query(query.to_owned())),
        Err(QueryError::Refused(what)) => Err(ApiError::not_supported(format_args!(
            "{what:?} in a MetadataExtractionQuery"
        ))),
        Err(QueryError::Long) => Err(ApiError::not_supported(
            "a MetadataExtractionQuery as long as this",
        )),
        _ => Err(invalid_argument(format!(
            "MetadataExtractionQuery is not a valid JQ expression: {query}"
        ))),
    }
}

/// A newline where nothing is said; AWS spells it `\\n`.
fn append_delimiter(given: &Parameters<'_>) -> Result<Step, ApiError> {
    given.allow(&["Delimiter"])?;
    let text = given.value("Delimiter").unwrap_or("\\n");
    Ok(Step::Append(
        text.replace("\\n", "\n")
            .replace("\\t", "\t")
            .replace("\\r", "\r")
            .into(),
    ))
}

/// The parameters of a processor of some kind.
struct Parameters<'a> {
    kind: &'a str,
    given: &'a [ProcessorParameter],
}

impl<'a> Parameters<'a> {
    fn of(processor: &'a Processor) -> Self {
        let Processor { r#type, parameters } = processor;
        Self {
            kind: r#type,
            given: parameters.as_deref().unwrap_or_default(),
        }
    }

    fn value(&self, name: &str) -> Option<&'a str> {
        let named = |parameter: &'a ProcessorParameter| {
            let ProcessorParameter {
                parameter_name,
                parameter_value,
            } = parameter;
            (parameter_name == name).then_some(parameter_value.as_str())
        };
        self.given.iter().find_map(named)
    }

    /// Refuses those that the processor has not, and those that are given twice.
    fn allow(&self, allowed: &[&str]) -> Result<(), ApiError> {
        let Self { kind, given } = self;
        for (i, parameter) in given.iter().enumerate() {
            let name = parameter.parameter_name.as_str();
            if given[..i].iter().any(|other| other.parameter_name == name) {
                return Err(invalid_argument(format!(
                    "The {kind} processor parameter {name} is given twice."
                )));
            }
            if !allowed.contains(&name) {
                return Err(invalid_argument(format!(
                    "{name} is not a parameter of a {kind} processor."
                )));
            }
        }
        Ok(())
    }
}
