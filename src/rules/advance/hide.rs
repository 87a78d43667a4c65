//! What is masked or secret leaves a transition before it is written.

use super::each;
use super::work::Work;
use crate::rules::mask::Traces;

impl Work<'_> {
    /// Masked values of the request get into no cause: it names a group, and is told to many. Values
    /// of secret variables get into nothing that is kept.
    pub fn hide(&mut self) {
        self.hide_secrets();
        let masked = self.plan.flow.webhook().map_or(&[][..], |hook| &hook.gates.mask);
        let Some(request) = self.before.context.request.as_ref().filter(|_| !masked.is_empty()) else {
            return;
        };
        let entry = self.entry.iter_mut().filter_map(|entry| entry.detail.cause.as_mut());
        let folded = self.folded.iter_mut().filter_map(|folded| folded.cause.as_mut());
        let own = self.cause.iter_mut().flat_map(|cause| [&mut cause.text, &mut cause.normal]);
        let noted = each::causes(&mut self.notes, &mut self.begun, &mut self.frame);
        let mut texts: Vec<&mut String> = entry.chain(folded).chain(own).chain(noted).collect();
        if !texts.is_empty() {
            let traces = Traces::of(masked, request);
            for text in &mut texts {
                traces.hide_in(text);
            }
        }
    }

    fn hide_secrets(&mut self) {
        let secrets = &self.before.context.secrets;
        if secrets.is_empty() {
            return;
        }
        if let Some(entry) = &mut self.entry {
            secrets.hide_all(&mut entry.detail.cause);
            if let Some(got) = &mut entry.got {
                secrets.hide_all(got.headers.iter_mut().map(|(_, value)| value));
                secrets.hide_body(&mut got.body);
            }
            if let Some(given) = &mut entry.answer {
                secrets.hide_all(given.headers.iter_mut().map(|(_, value)| value));
                secrets.hide_body(&mut given.body);
            }
            entry.detail.outputs.iter_mut().for_each(|outputs| secrets.hide_map(outputs));
        }
        for folded in &mut self.folded {
            secrets.hide_all(&mut folded.cause);
            folded.outputs.iter_mut().for_each(|outputs| secrets.hide_map(outputs));
        }
        secrets.hide_all(self.cause.iter_mut().flat_map(|cause| [&mut cause.text, &mut cause.normal]));
        secrets.hide_all(each::causes(&mut self.notes, &mut self.begun, &mut self.frame));
    }
}
