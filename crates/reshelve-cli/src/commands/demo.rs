//! `reshelve demo`: the steps, shown as they are taken.

use reshelve_app::demo::{self, Demo, Request};
use reshelve_app::report::Outcome as ReportOutcome;
use reshelve_app::run::Outcome as RunOutcome;
use reshelve_app::text::{counted, number, size};
use reshelve_app::{ExitCode, Failure, Handle};

use super::run_page;
use crate::cli::DemoArgs;
use crate::printer::Printer;

pub(crate) fn run(args: &DemoArgs) -> Result<ExitCode, Failure> {
    let request = Request { dir: args.dir.clone(), documents: args.documents };
    let demo = demo::demo(&request, &args.dry_run.handle(Handle::silent()))?;
    let tour = Tour { demo, printer: Printer::new(false) };
    tour.title(
        "1. A legacy dump",
        "what mongodump writes for the old deployment's collection `jobs`",
    );
    tour.generate()?;
    tour.title("2. What is in it", "the profile: every document is read, nothing is changed");
    tour.profile()?;
    tour.title("3. A dry run", "reads, maps and proves every document; writes only its run folder");
    tour.run(false)?;
    tour.title("4. The run", "the same with --apply: four collections, ready for mongorestore");
    let ran = tour.run(true)?;
    tour.title(
        "5. Parity",
        "source against target, document by document, without trusting the run",
    );
    tour.verify()?;
    tour.title("6. The way back", "restores the legacy collection from the target, and compares");
    tour.restore(&ran)?;
    tour.title("7. The report", "what a reviewer signs, and the evidence for the change record");
    let reported = tour.report(&ran)?;
    tour.end(&ran, &reported);
    Ok(ExitCode::Done)
}

struct Tour {
    demo: Demo,
    printer: Printer,
}

impl Tour {
    fn title(&self, title: &str, what: &str) {
        self.printer.text(&format!("\n== {title}: {what}\n"));
    }

    /// The commands that do what comes next.
    fn commands(&self, commands: &[String]) {
        for command in commands {
            self.printer.line(&format!("  $ {command}"));
        }
    }

    fn generate(&self) -> Result<(), Failure> {
        let made = self.demo.generate()?;
        self.printer.text(&format!(
            "  {} of all five eras, {}: finished novels, novels in flight, failed ones,\n  \
             story bibles, alerts, and the contradictions that stored documents hold.\n\n  {}",
            counted(made.documents, "document"),
            size(made.bson_bytes),
            self.demo.legacy_file().display()
        ));
        Ok(())
    }

    fn profile(&self) -> Result<(), Failure> {
        self.commands(&[format!("reshelve profile {}\n", self.demo.legacy().display())]);
        let outcome = self.demo.profile()?;
        for line in super::profile::summary(&outcome.profile) {
            self.printer.text(&format!("  {line}"));
        }
        Ok(())
    }

    fn run(&self, apply: bool) -> Result<RunOutcome, Failure> {
        self.commands(&[format!(
            "reshelve run {} {}{} --runs-dir {}",
            self.demo.legacy().display(),
            self.demo.target().display(),
            if apply { " --apply --in-flight include" } else { "" },
            self.demo.runs().display()
        )]);
        let outcome = self.demo.run(apply)?;
        self.printer.text(&run_page::page(&outcome));
        Ok(outcome)
    }

    fn verify(&self) -> Result<(), Failure> {
        let (legacy, target) = (self.demo.legacy(), self.demo.target());
        self.commands(&[format!("reshelve verify {} {}\n", legacy.display(), target.display())]);
        let outcome = self.demo.verify()?;
        self.printer.text(&super::verify::page(&outcome.verification));
        Ok(())
    }

    fn restore(&self, ran: &RunOutcome) -> Result<(), Failure> {
        let out = self.demo.restored_file();
        self.commands(&[
            format!("reshelve restore {} {}", self.demo.target().display(), out.display()),
            format!("cmp {} {}", self.demo.legacy_file().display(), out.display()),
        ]);
        self.demo.restore(ran)?;
        Ok(())
    }

    fn report(&self, ran: &RunOutcome) -> Result<ReportOutcome, Failure> {
        self.commands(&[format!(
            "reshelve report {} --bundle --out {}\n",
            ran.report.folder.path().display(),
            self.demo.report_folder().display()
        )]);
        let outcome = self.demo.report(ran)?;
        self.printer.text(&super::report::page(&outcome.report, &outcome.written));
        Ok(outcome)
    }

    fn end(&self, ran: &RunOutcome, reported: &ReportOutcome) {
        let totals = &ran.report.checkpoint.totals;
        let residue_per_mille = totals.residue_bytes * 1000 / totals.bytes_read.max(1);
        let dir = self.demo.dir().display();
        self.printer.text(&format!(
            "\n== Proved\n\n  \
             {} of {} came back byte for byte: the restored file is the legacy file.\n  \
             What has no place in the new shape travels with it: {}.{} % of the legacy bytes.\n\n  \
             the dump        {dir}/legacy\n  \
             the target      {dir}/target     (mongorestore {dir}/target takes it as it is)\n  \
             the way back    {dir}/restored\n  \
             the run         {dir}/runs       (checkpoint, rejects, report.json)\n\n\
             Next: reshelve profile YOUR-DUMP, then reshelve run YOUR-DUMP TARGET, a dry run.\n\n\
             Open the report in a browser: {}\n\
             See the novels in a browser:  reshelve serve {dir}/target",
            number(totals.documents.read),
            counted(totals.documents.read, "document"),
            residue_per_mille / 10,
            residue_per_mille % 10,
            reported.written.html.display(),
        ));
    }
}
