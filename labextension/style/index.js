import './base.css';
import './panel.css';
import './page.css';
import './chart.css';
import './dialog.css';
import './run.css';
import './status.css';
