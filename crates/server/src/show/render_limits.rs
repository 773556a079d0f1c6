//! Render limits: how much of a report is shown, in mails and on pages.

/// How much of a report is shown.
#[derive(Debug, Clone, Copy)]
pub struct RenderLimits {
    /// Frames of the traceback: the outermost and the innermost.
    pub(crate) frames: (usize, usize),
    /// Local variables of a frame, and entries of other groups of values.
    pub(crate) locals: usize,
    /// Characters of a value.
    pub(crate) value: usize,
    /// Characters of a message, of additional information and of a request's body.
    pub(crate) text: usize,
    /// Exceptions of the chain.
    pub(crate) chain: usize,
    /// Frames of a chained exception: the outermost and the innermost.
    pub(crate) chain_frames: (usize, usize),
    /// Breadcrumbs, the last ones.
    pub(crate) breadcrumbs: usize,
}

impl RenderLimits {
    /// The limits of a page.
    pub const PAGE: Self = Self {
        frames: (10, 60),
        locals: 1_000,
        value: 4_096,
        text: 8_000,
        chain: 50,
        chain_frames: (10, 60),
        breadcrumbs: 100,
    };
    /// The limits of a mail: the first that fits is used, and the last one always fits.
    pub const MAIL: [Self; 4] = [
        Self {
            frames: (10, 40),
            locals: 40,
            value: 300,
            text: 4_000,
            chain: 5,
            chain_frames: (3, 12),
            breadcrumbs: 10,
        },
        Self {
            frames: (5, 20),
            locals: 20,
            value: 120,
            text: 2_000,
            chain: 3,
            chain_frames: (1, 5),
            breadcrumbs: 10,
        },
        Self {
            frames: (2, 10),
            locals: 10,
            value: 60,
            text: 800,
            chain: 2,
            chain_frames: (0, 3),
            breadcrumbs: 5,
        },
        Self {
            frames: (1, 4),
            locals: 4,
            value: 20,
            text: 200,
            chain: 1,
            chain_frames: (0, 2),
            breadcrumbs: 2,
        },
    ];
}
